use tapelog::verdict;

struct Spread;

fn main() {
    verdict!(blocked, rule = "spread", value = Spread, limit = 20.0);
}
