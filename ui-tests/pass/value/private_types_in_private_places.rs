use tapelog::{event, events::*};

fn main() {
    #[derive(tapelog::Value)]
    enum Local {
        One,
    }
    mod inner {
        #[derive(tapelog::Value)]
        pub struct Public(pub(super) u32);
    }
    event!(BUY_BLOCKED, local = Local::One, public = inner::Public(1));
}
