use tapelog::event;

fn main() {
    event!(rule = "spread");
}
