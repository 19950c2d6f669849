use tapelog::Value;

#[derive(Value)]
enum Never {}

fn main() {
    let _: Option<Never> = None;
}
