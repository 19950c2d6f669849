use tapelog::decision;

#[decision]
async fn unit() {
    ""
}

#[decision]
async fn simple_mismatch() -> String {
    ""
}

#[decision]
async fn opaque_unsatisfied() -> impl std::fmt::Display {
    ("",)
}

struct Wrapper<T>(T);

#[decision]
async fn mismatch_with_opaque() -> Wrapper<impl std::fmt::Display> {
    ""
}

#[decision]
async fn early_return_unit() {
    if true {
        return "";
    }
}

#[decision]
async fn early_return() -> String {
    if true {
        return "";
    }
    String::new()
}

#[decision]
async fn extra_semicolon() -> i32 {
    1;
}

fn main() {}
