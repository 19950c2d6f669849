use tapelog::{DecisionId, decision};

#[decision(inherit, id = id)]
fn go_on(id: DecisionId) {}

fn main() {
    let _ = go_on;
}
