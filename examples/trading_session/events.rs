//! The engine's own events, beside those of `tapelog::events`.

tapelog::events! {
    /// How good a fill was against the price that was decided upon.
    pub(crate) FILL_QUALITY: execution, info, execution;
    /// A position begins.
    pub(crate) POSITION_OPENED: "events/positions", info, execution;
    /// A position, or a part of it, is gone.
    pub(crate) POSITION_REDUCED: "events/positions", info, execution;
    /// What the dashboard shows now.
    pub(crate) BOARD_UPDATED: dashboard, info, system;
    /// How far the replay is.
    pub(crate) REPLAY_PROGRESS: component "replay_monitor", debug, system;
    /// A record that is only there to measure what a record costs.
    pub(crate) CALIBRATION: log "calibration", debug, system;
}
