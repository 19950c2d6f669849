//! Every key of the derive, every form of its use.
#![deny(warnings, missing_docs, unused_qualifications, rust_2018_idioms)]

use tapelog::event;

mod own {
    tapelog::events! {
        /// A hedge.
        pub HEDGE: risk, info, risk;
    }

    /// A hedge was placed.
    #[derive(Debug, Clone, tapelog::Event)]
    #[event(of = HEDGE, message = "{qty:.2} {kind}", constants(kind = "delta", version = 2, live = false, ratio = -0.5))]
    pub struct Hedge<'a> {
        /// What.
        #[event(rename = "type")]
        pub r#type: &'a str,
        /// How much.
        pub qty: f64,
        /// By whom.
        #[event(display)]
        pub by: Option<std::net::Ipv4Addr>,
        /// Why.
        #[event(debug, null)]
        pub why: Option<std::cmp::Ordering>,
        /// Left out by `..`.
        #[event(default)]
        pub tags: Vec<String>,
    }
}

/// An event without fields.
#[derive(Debug, tapelog::Event)]
#[event(name = "TICK", stream = log "ticks", level = debug, category = strategy)]
struct Tick;

/// The same in braces.
#[derive(Debug, tapelog::Event)]
#[event(stream = component "ticker", level = debug, category = strategy, message = "tock")]
struct Tock {}

fn main() {
    let qty = 1.0;
    event!(own::Hedge { r#type: "put", qty, by: None, why: None, .. });
    event!(own::Hedge { r#type: &String::from("call"), qty: qty + 1.0, ..hedge() }, leg = 2, desk = "emea");
    event!(own::Hedge::<'_> { r#type: "put", qty, by: None, why: Some(1.cmp(&2)), tags: vec![] },);
    event!(Tick {});
    event!(crate = ::tapelog, Tock {});
    if qty > 0.0 { event!(Tock {}) } else { event!(Tick {}) }
}

fn hedge() -> own::Hedge<'static> {
    own::Hedge { r#type: "", qty: 0.0, by: None, why: None, tags: Vec::new() }
}
