use tapelog::verdict;

fn main() {
    verdict!();
    verdict!("blocked", rule = "spread");
    verdict!(rule = "spread");
}
