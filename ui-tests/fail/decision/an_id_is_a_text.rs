use tapelog::decision;

#[decision(id = "dec_20251026_123456_abc123")]
fn go_on() {}

#[decision(resume = text)]
fn resume(text: &str) {}

fn main() {
    go_on();
    resume("x");
}
