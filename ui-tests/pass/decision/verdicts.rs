use tapelog::{Value, decision, verdict};

#[derive(Value)]
enum Judged {
    Bought,
    NotBought,
}

#[decision(verdict = judge)]
fn by_function(px: f64) -> Result<f64, String> {
    Ok(px)
}

fn judge(result: &Result<f64, String>) -> Judged {
    if result.is_ok() { Judged::Bought } else { Judged::NotBought }
}

#[decision(verdict = |result| match result { Ok(text) => text.as_str(), Err(_) => "none" })]
fn borrowed_from_the_result() -> Result<String, String> {
    Ok("bought".into())
}

#[decision(verdict = |bought| *bought)]
fn of_a_plain_type() -> bool {
    verdict!(blocked, rule = "spread", value = 34.0, limit = 20.0);
    verdict!(passed);
    true
}

#[decision(verdict = |()| "done")]
fn of_nothing() {}

#[decision(verdict = |result| result.is_ok())]
async fn asynchronous() -> Result<(), String> {
    verdict!(blocked, limit = 1);
    Ok(())
}

fn main() {
    by_function(1.0).unwrap();
    borrowed_from_the_result().unwrap();
    assert!(of_a_plain_type());
    of_nothing();
    drop(asynchronous());
}
