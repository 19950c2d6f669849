use tapelog::decision;

#[decision]
fn half(a: u32, -> u32 {
    a
}

fn main() {}
