//! What must not compile, with which words, and what must compile: `tests/ui.rs` runs the cases in `fail/` and `pass/`,
//! in folders by macro, in files by the rule.
