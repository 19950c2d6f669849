use tapelog::Value;

#[derive(Value)]
union Bits {
    a: u32,
    b: f32,
}

fn main() {
    let _ = Bits { a: 1 };
    let _ = Bits { b: 1.0 };
}
