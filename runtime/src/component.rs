//! Components: the parts of an engine that have a log of their own, `<component>.log` (S2-003, S2-009…011).
//!
//! Three ways to write such a log (S1-035…037):
//!
//! ```
//! use tapelog::{Component, log};
//!
//! // A name of its own, a file of its own, a level of its own.
//! const MONITOR: Component = Component::new("position_monitor");
//!
//! # let positions = 3;
//! log!(MONITOR, debug, trigger_source = "fill", positions_count = positions, "positions updated");
//!
//! // No name at all: the module says it. In `engine::services::execution::router` the line goes to `execution.log`.
//! log!(info, "router ready");
//! ```
//!
//! The third way is to start a recorder and write nothing but events: they have files of their own.

use crate::{Category, EventType, Level, Stream};

/// One component. Made as a constant; used by `log!`.
///
/// ```
/// use tapelog::component::{COMPONENTS, SERVICES, component_of};
/// use tapelog::{Category, Component, Level};
///
/// const RISK: Component = Component::new("risk_monitor").category(Category::Risk);
/// assert_eq!((RISK.name(), RISK.stream().file().as_str()), ("risk_monitor", "risk_monitor.log"));
/// assert_eq!(RISK.event(Level::Warning).level, Level::Warning);
/// assert!(COMPONENTS.iter().any(|known| known.name() == RISK.name()));
///
/// // By module, as `log!` does it without a name.
/// assert_eq!(Component::of_module("engine::services::execution::router").name(), "execution");
/// assert_eq!(component_of("engine::router::place"), "router");
/// assert_eq!((SERVICES[2].0.name(), SERVICES[2].1), ("execution", Level::Info));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    name: &'static str,
    category: Category,
}

impl Component {
    /// The component of this name; its lines go to `<name>.log`.
    ///
    /// # Panics
    /// At compile time (in a `const`), when the name is not made of a-z, 0-9, `_` and `-`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let _checked = Stream::component(name);
        Self { name, category: Category::System }
    }

    /// The same, with another category than `system`.
    #[must_use]
    pub const fn category(mut self, category: Category) -> Self {
        self.category = category;
        self
    }

    /// The component to which a module belongs: what stands behind `services`, else the first module of the crate, else
    /// the crate (S1-024). `app` where that is no name of a file.
    #[must_use]
    pub const fn of_module(module_path: &'static str) -> Self {
        Self { name: component_of(module_path), category: Category::System }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Where its lines go.
    #[must_use]
    pub const fn stream(self) -> Stream {
        Stream::component(self.name)
    }

    /// The event that one of its lines is.
    #[must_use]
    pub const fn event(self, level: Level) -> EventType {
        EventType::new("LOG", self.stream(), level, self.category)
    }
}

/// The services of the requirements with their levels (S1-017…022, S1-062); each has a file of its name.
pub const SERVICES: [(Component, Level); 6] = [
    (Component::new("data_ingestion"), Level::Info),
    (Component::new("strategy_engine").category(Category::Strategy), Level::Debug),
    (Component::new("execution").category(Category::Execution), Level::Info),
    (Component::new("risk_management").category(Category::Risk), Level::Warning),
    (Component::new("analytics"), Level::Info),
    (Component::new("notification"), Level::Info),
];

/// The components of the requirements (S2-003).
pub const COMPONENTS: [Component; 7] = [
    Component::new("api"),
    Component::new("position_monitor"),
    Component::new("exposure_monitor"),
    Component::new("risk_monitor"),
    Component::new("pnl_monitor"),
    Component::new("strategy_manager"),
    Component::new("execution_manager"),
];

/// See [`Component::of_module`].
#[must_use]
pub const fn component_of(module_path: &'static str) -> &'static str {
    let (first, rest) = segment(module_path);
    let mut name = match rest {
        Some(rest) => segment(rest).0,
        None => first,
    };
    let mut rest = Some(module_path);
    while let Some(path) = rest {
        let (one, behind) = segment(path);
        if is(one, "services")
            && let Some(behind) = behind
        {
            name = segment(behind).0;
            break;
        }
        rest = behind;
    }
    if is_file_name(name) { name } else { "app" }
}

/// The first segment of a path, and what stands behind its `::`.
const fn segment(path: &'static str) -> (&'static str, Option<&'static str>) {
    let bytes = path.as_bytes();
    let mut i = 0;
    while i + 1 < bytes.len() {
        if bytes[i] == b':' && bytes[i + 1] == b':' {
            let (segment, rest) = path.split_at(i);
            return (segment, Some(rest.split_at(2).1));
        }
        i += 1;
    }
    (path, None)
}

const fn is(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

const fn is_file_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if !matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_says_the_service() {
        // S1-024
        for (module, name) in [
            ("src::services::execution::order_manager", "execution"),
            ("engine::services::risk", "risk"),
            ("engine::router::place", "router"),
            ("engine", "engine"),
            ("engine::services", "services"),
            ("Engine", "app"),
            ("engine::r#type", "app"),
        ] {
            assert_eq!(component_of(module), name, "{module}");
        }
    }

    #[test]
    fn every_service_has_its_file_and_level() {
        // S1-017…022, S1-062
        let files: Vec<_> = SERVICES.iter().map(|(component, _)| component.stream().file()).collect();
        assert_eq!(
            files,
            [
                "data_ingestion.log",
                "strategy_engine.log",
                "execution.log",
                "risk_management.log",
                "analytics.log",
                "notification.log",
            ]
        );
        assert_eq!(SERVICES[1].1, Level::Debug);
        assert_eq!(SERVICES[3].1, Level::Warning);
    }
}
