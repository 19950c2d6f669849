//! Every case of `fail/` must not compile, with exactly the words beside it; every case of `pass/` must compile and run.
//!
//! The words are those of the pinned toolchain. After a change: `TRYBUILD=overwrite cargo test -p tapelog-ui-tests`, and
//! read the difference as a user would.

/// One folder of cases in each of the two.
fn check(folder: &str) {
    let cases = trybuild::TestCases::new();
    cases.compile_fail(format!("fail/{folder}/*.rs"));
    cases.pass(format!("pass/{folder}/*.rs"));
}

macro_rules! folders {
    ($($folder:ident)*) => {$(
        #[test]
        fn $folder() {
            check(stringify!($folder));
        }
    )*};
}

folders! { config decision event order performance typed value }
