use std::fmt;

use tapelog::decision;

struct Silent;
#[derive(Debug)]
struct Debugged;
struct Displayed;

impl fmt::Display for Displayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("displayed")
    }
}

#[decision]
fn silent() -> Result<(), Silent> {
    Err(Silent)
}

#[decision]
fn debugged() -> Result<(), Debugged> {
    Err(Debugged)
}

#[decision]
fn displayed() -> Result<(), Displayed> {
    Err(Displayed)
}

#[decision]
fn borrowed(text: &str) -> Result<(), &str> {
    Err(text)
}

#[decision]
fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
    Err("boxed".into())
}

#[decision]
fn in_an_arc() -> Result<(), std::sync::Arc<std::io::Error>> {
    Err(std::sync::Arc::new(std::io::Error::other("x")))
}

#[decision]
fn a_result_in_a_result() -> Result<Result<u8, Silent>, Debugged> {
    Ok(Err(Silent))
}

mod user {
    pub type Result<T = ()> = std::result::Result<T, super::Silent>;
}

#[decision]
fn alias() -> user::Result {
    Err(Silent)
}

#[decision]
fn option() -> Option<Result<(), Silent>> {
    None
}

fn main() {
    assert!(silent().is_err() && debugged().is_err() && displayed().is_err() && borrowed("x").is_err());
    assert!(boxed().is_err() && in_an_arc().is_err() && alias().is_err() && option().is_none());
    assert!(a_result_in_a_result().is_ok());
}
