use tapelog::decision;

macro_rules! make {
    ($name:ident, $argument:ident: $ty:ty, $kind:literal, $field:expr, $body:block) => {
        #[decision(kind = $kind, fields($argument, field = $field))]
        fn $name($argument: $ty) -> Result<$ty, String> $body
    };
}

make!(one, a: u32, "buy", 1 + 1, { Ok(1) });

macro_rules! make {
    ($name:ident, $argument:ident, $kind:literal, $field:expr, $body:expr) => {
        #[decision(kind = $kind, fields($argument, field = $field))]
        fn $name($argument: u32) -> Result<u32, String> {
            $body
        }
    };
}

make!(two, a, "sell", 2, Ok(a + 1));

fn main() {
    assert_eq!(one(1), Ok(1));
    assert_eq!(two(1), Ok(2));
}
