use tapelog::event;

fn main() {
    event!();
}
