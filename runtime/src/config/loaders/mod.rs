//! Loaders that know where their values came from: `figment` and `config`, a feature each.

#[cfg(feature = "config")]
mod config_rs;
#[cfg(feature = "figment")]
mod figment;
