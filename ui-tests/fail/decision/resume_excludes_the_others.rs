use tapelog::{DecisionId, decision};

#[decision(resume = id, kind = "buy", fields(px), verdict = |_| "x", lazy)]
fn go_on(id: DecisionId, px: f64) {
    let _ = px;
}

fn main() {
    let _ = go_on;
}
