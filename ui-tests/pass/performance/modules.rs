use tapelog::log_performance;

#[log_performance(memory)]
mod inner {
    pub fn one(a: u32) -> u32 {
        a
    }

    pub const fn two() -> u32 {
        2
    }

    #[tapelog(skip)]
    pub fn three() -> u32 {
        3
    }

    pub struct Of(pub u32);

    impl Of {
        pub fn get(&self) -> u32 {
            self.0
        }
    }

    #[tapelog(skip)]
    impl Of {
        pub fn skipped(&self) -> u32 {
            self.0
        }
    }

    pub mod deeper {
        use super::Of;

        pub fn of() -> Of {
            Of(4)
        }
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn a_test() {}
    }
}

fn main() {
    assert_eq!(inner::one(1) + inner::two() + inner::three(), 6);
    assert_eq!(inner::deeper::of().get() + inner::Of(1).skipped(), 5);
}
