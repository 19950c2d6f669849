use tapelog::{DecisionId, decision, decision_id};

#[decision(id = id)]
fn given(id: DecisionId) -> Option<DecisionId> {
    decision_id()
}

#[decision(id = position.decision)]
fn from_a_field(position: &Position) {
    let _ = position;
}

struct Position {
    decision: Option<DecisionId>,
}

#[decision(resume = position.decision)]
fn resumed(position: &Position) -> Result<(), String> {
    let _ = position;
    Ok(())
}

#[decision(resume = &id)]
async fn resumed_async(id: DecisionId) -> Result<(), String> {
    Ok(())
}

#[decision(inherit)]
fn inherited() -> Result<(), String> {
    Ok(())
}

#[decision(inherit, kind = "x", fields(a = 1))]
async fn inherited_async() {}

#[decision(lazy, fields(a))]
fn lazy(a: u32) -> Result<(), String> {
    let _ = a;
    Ok(())
}

#[decision(lazy, inputs(a, b = a + 1 => std::time::Instant::now()))]
async fn lazy_async(a: u32) -> Result<(), String> {
    let _ = a;
    Ok(())
}

fn main() {
    let id = "dec_20251026_123456_abc123".parse().unwrap();
    // Nobody records: nothing is current.
    assert_eq!(given(id), None);
    from_a_field(&Position { decision: None });
    resumed(&Position { decision: Some(id) }).unwrap();
    inherited().unwrap();
    lazy(1).unwrap();
    drop((resumed_async(id), inherited_async(), lazy_async(1)));
}
