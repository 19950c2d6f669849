struct Venue;

/// A hedge.
#[derive(tapelog::Event)]
#[event(stream = risk, level = info, category = risk)]
struct HedgePlaced {
    venue: Venue,
}

fn main() {}
