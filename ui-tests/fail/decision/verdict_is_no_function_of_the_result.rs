use tapelog::decision;

#[decision(verdict = "bought")]
fn evaluate() -> Result<u32, String> {
    Ok(1)
}

#[decision(verdict = |result: &String| result.len())]
fn evaluate_again() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    evaluate().ok();
    evaluate_again().ok();
}
