//! The configuration: what may be changed without a new build, and how the tape is told of it.
//!
//! Invariant: what is here and the market data determine every decision.

use serde::Serialize;
use tapelog::config::ConfigSnapshot;

use crate::orders::Tif;

/// Everything that decides what the engine does.
#[derive(Clone, Debug, Serialize, ConfigSnapshot)]
#[config(env_prefix = "TRADING_")]
pub(crate) struct Config {
    pub(crate) seed: u64,
    /// Market seconds in one second; 0: as fast as it goes.
    pub(crate) speed: f64,
    #[config(nested)]
    pub(crate) signal: SignalConfig,
    #[config(nested)]
    pub(crate) guards: GuardConfig,
    #[config(nested)]
    pub(crate) orders: OrderConfig,
    #[config(nested)]
    pub(crate) exits: ExitConfig,
    pub(crate) venue: VenueConfig,
}

#[derive(Clone, Debug, Serialize, ConfigSnapshot)]
pub(crate) struct SignalConfig {
    /// Over which time momentum and flow are taken.
    pub(crate) window_ms: u64,
    /// Fewer quotes in the window are no basis for a signal.
    pub(crate) min_samples: usize,
    /// What a window in which only buyers took is worth.
    pub(crate) flow_weight_bps: f64,
    /// The score that fires.
    #[config(env = "TRADING_THRESHOLD_BPS")]
    pub(crate) threshold_bps: f64,
}

#[derive(Clone, Debug, Serialize, ConfigSnapshot)]
pub(crate) struct GuardConfig {
    #[config(env = "TRADING_MAX_SPREAD_BPS")]
    pub(crate) max_spread_bps: f64,
    pub(crate) max_quote_age_ms: f64,
    #[config(env = "TRADING_COOL_DOWN_MS")]
    pub(crate) cool_down_ms: f64,
    /// Of one symbol.
    pub(crate) max_position: f64,
    /// Of all symbols, with what is on its way.
    #[config(env = "TRADING_MAX_NOTIONAL")]
    pub(crate) max_notional: f64,
}

#[derive(Clone, Debug, Serialize, ConfigSnapshot)]
pub(crate) struct OrderConfig {
    #[config(env = "TRADING_QUOTE_BUDGET")]
    pub(crate) quote_budget: f64,
    /// How much of the quantity at the best price one order may take.
    pub(crate) participation: f64,
    pub(crate) slippage_bps: f64,
    pub(crate) min_notional: f64,
    pub(crate) tif: Tif,
    pub(crate) max_retries: u32,
    pub(crate) retry_backoff_ms: u64,
}

#[derive(Clone, Debug, Serialize, ConfigSnapshot)]
pub(crate) struct ExitConfig {
    #[config(env = "TRADING_TAKE_PROFIT_BPS")]
    pub(crate) take_profit_bps: f64,
    pub(crate) stop_loss_bps: f64,
    pub(crate) max_hold_ms: f64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct VenueConfig {
    pub(crate) name: String,
    pub(crate) fee_bps: f64,
    pub(crate) ack_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 7,
            speed: 0.0,
            signal: SignalConfig {
                window_ms: 1_000,
                min_samples: 5,
                flow_weight_bps: 0.2,
                threshold_bps: 0.18,
            },
            guards: GuardConfig {
                max_spread_bps: 0.8,
                max_quote_age_ms: 250.0,
                cool_down_ms: 1_500.0,
                max_position: 6_000.0,
                max_notional: 12_000.0,
            },
            orders: OrderConfig {
                quote_budget: 3_000.0,
                participation: 0.5,
                slippage_bps: 0.5,
                min_notional: 10.0,
                tif: Tif::Ioc,
                max_retries: 3,
                retry_backoff_ms: 40,
            },
            exits: ExitConfig { take_profit_bps: 1.5, stop_loss_bps: 1.0, max_hold_ms: 15_000.0 },
            venue: VenueConfig { name: "binance_sim".to_owned(), fee_bps: 0.1, ack_timeout_ms: 150 },
        }
    }
}

impl Config {
    /// The defaults, changed by `TRADING_…` variables.
    ///
    /// # Errors
    /// Names the variable that is no number.
    pub(crate) fn from_env(read: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut config = Self::default();
        let settings = [
            ("TRADING_MAX_SPREAD_BPS", &mut config.guards.max_spread_bps),
            ("TRADING_MAX_NOTIONAL", &mut config.guards.max_notional),
            ("TRADING_COOL_DOWN_MS", &mut config.guards.cool_down_ms),
            ("TRADING_QUOTE_BUDGET", &mut config.orders.quote_budget),
            ("TRADING_THRESHOLD_BPS", &mut config.signal.threshold_bps),
            ("TRADING_TAKE_PROFIT_BPS", &mut config.exits.take_profit_bps),
        ];
        for (variable, setting) in settings {
            let Some(text) = read(variable) else { continue };
            *setting = text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite() && *number >= 0.0)
                .ok_or_else(|| {
                    format!(
                        "{variable} is `{text}`; write a number from 0, for example `{variable}={setting}`"
                    )
                })?;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_changes_its_setting_and_nothing_else() {
        let config =
            Config::from_env(|name| (name == "TRADING_QUOTE_BUDGET").then(|| "500".to_owned())).unwrap();
        assert_eq!(config.orders.quote_budget, 500.0);
        assert_eq!(config.guards.max_notional, Config::default().guards.max_notional);
    }

    #[test]
    fn every_variable_that_is_read_is_declared_where_its_key_is() {
        let nested = Config::TABLE.nested.iter().flat_map(|(_, table)| table.env);
        let declared: Vec<_> = nested.map(|binding| binding.name).collect();
        assert_eq!(declared.len(), 6);
        for variable in declared {
            assert!(Config::from_env(|name| (name == variable).then(|| "no number".to_owned())).is_err());
        }
    }

    #[test]
    fn a_variable_that_is_no_number_is_named() {
        for text in ["much", "", "-1", "NaN", "inf"] {
            let wrong = Config::from_env(|name| (name == "TRADING_MAX_NOTIONAL").then(|| text.to_owned()))
                .unwrap_err();
            assert!(wrong.contains("TRADING_MAX_NOTIONAL"), "{wrong}");
        }
    }
}
