use tapelog::DecisionId;

/// A hedge.
#[derive(tapelog::Event)]
#[event(stream = risk, level = info, category = risk)]
struct HedgePlaced {
    parent: DecisionId,
    note: Option<String>,
}

fn main() {
    let parent: DecisionId = "dec_20251026_123456_abc123".parse().unwrap();
    tapelog::event!(HedgePlaced { parent, .. });
}
