use tapelog::decision;

#[decision]
fn number() -> Result<u32, String> {
    let wrong: &str = "1";
    Ok(wrong)
}

#[decision]
fn early() -> u32 {
    if std::env::args().count() > 1 {
        return "";
    }
    1
}

#[decision]
fn semicolon() -> String {
    String::new();
}

fn main() {
    number().ok();
    early();
    semicolon();
}
