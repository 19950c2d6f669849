use tapelog::verdict;

fn main() {
    verdict!(blocked, rul = "spread", threshold = 20.0, limit = 1, limit = 2);
}
