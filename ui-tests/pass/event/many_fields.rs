use tapelog::{event, events::*};

fn main() {
    let a = 1;
    event!(
        BUY_FILLED, f01 = a, f02 = a, f03 = a, f04 = a, f05 = a, f06 = a, f07 = a, f08 = a, f09 = a, f10 = a, f11 = a,
        f12 = a, f13 = a, f14 = a, f15 = a, f16 = a, f17 = a, f18 = a, f19 = a, f20 = a, f21 = a, f22 = a, f23 = a,
        f24 = a, f25 = a, f26 = a, f27 = a, f28 = a, f29 = a, f30 = a, f31 = a, f32 = a, f33 = a, f34 = a, f35 = a,
        f36 = a, f37 = a, f38 = a, f39 = a, f40 = a,
    );
}
