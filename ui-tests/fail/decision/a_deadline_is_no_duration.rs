use tapelog::{decision, log_performance};

#[decision(deadline = 5)]
fn a() {}

#[decision(deadline = "5 minutes")]
fn b() {}

#[decision(deadlin = "5s")]
fn c() {}

#[decision(resume = id, deadline = "5s")]
fn d(id: tapelog::DecisionId) {}

#[log_performance(deadline = "0s")]
fn e() {}

fn main() {}
