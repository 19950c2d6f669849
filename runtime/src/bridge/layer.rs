//! The layer: spans and events of any library into the run.

use std::cell::RefCell;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::TARGET;
use super::sites::{self, Foreign, SPAN_EXTRA};
use super::visit::{InOrder, Values};
use crate::config::Class;
use crate::hot::ids::DecisionId;
use crate::hot::value::Elapsed;
use crate::hot::{clock, record, thread};
use crate::scope::lazy;

/// A layer for `tracing_subscriber`: what any library says through `tracing` is recorded, in its order among our own
/// events, with the decision that is current.
///
/// An event is a line LOG of the component log of its crate (`hyper.log`), with `target`, its own fields, and, inside of
/// spans, their names as `span` and their fields as `span_fields`. When a span closes, it is a line SPAN with its fields,
/// `duration_ms` and `busy_ms`. A text passes the secret scrubber, and the value of a field named as a secret
/// (`api_key`) is hidden. A field that has the name of a key of the envelope
/// gets `field_` before it. `trace` is written as `debug`.
///
/// Which of them are wanted says `tracing`, by a filter on this layer:
///
/// ```
/// use tapelog::bridge::Layer;
/// use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(Layer::new().with_filter(EnvFilter::new("info,hyper=debug,my_engine=trace")))
///     .init();
///
/// // All of them into `libraries.log`, and no line SPAN when a span closes.
/// let quieter = Layer::new().into_component("libraries").spans(false);
/// # drop(quieter);
/// ```
#[derive(Clone, Debug)]
pub struct Layer {
    component: Option<&'static str>,
    spans: bool,
}

/// What a span remembers, in the registry.
#[derive(Debug)]
struct Remembered {
    foreign: &'static Foreign,
    values: Values,
    opened: u64,
    decision: DecisionId,
    /// Ticks of the counter inside, and since when it is inside now.
    busy: u64,
    entered: u64,
}

impl Default for Layer {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer {
    /// Each crate has a component log of its own, and spans are recorded when they close.
    #[must_use]
    pub const fn new() -> Self {
        Self { component: None, spans: true }
    }

    /// Every line goes to this component's log, for example `libraries` for `libraries.log`. What the name lacks of
    /// `a-z`, `0-9`, `_` and `-` becomes `_`.
    #[must_use]
    pub const fn into_component(mut self, name: &'static str) -> Self {
        self.component = Some(name);
        self
    }

    /// Whether a line SPAN is written when a span closes; yes unless said. Events have the fields of their spans anyway.
    #[must_use]
    pub const fn spans(mut self, on: bool) -> Self {
        self.spans = on;
        self
    }
}

thread_local! {
    static SCRATCH: RefCell<Values> = const { RefCell::new(Values::NEW) };
}

/// Runs `work` with this thread's buffer, or with a fresh one inside of itself: a `Debug` may log.
fn with_scratch<R>(classes: &'static [Class], work: impl FnOnce(&mut Values) -> R) -> R {
    let mut own = SCRATCH.try_with(RefCell::take).unwrap_or_default();
    own.begin(classes);
    let result = work(&mut own);
    let _ = SCRATCH.try_with(|scratch| scratch.replace(own));
    result
}

/// What is ours went out already, and is in the run.
fn is_ours(meta: &Metadata<'_>) -> bool {
    meta.target().starts_with(TARGET)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Layer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let meta = attributes.metadata();
        let (Some(span), false) = (context.span(id), is_ours(meta)) else { return };
        let Some(foreign) = sites::of(meta, self.component) else { return };
        let mut values = Values::of(foreign.classes);
        attributes.record(&mut values);
        span.extensions_mut().replace(Remembered {
            foreign,
            values,
            opened: clock::now(),
            decision: thread::decision(),
            busy: 0,
            entered: 0,
        });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Not while the span is locked: a `Debug` may log, and what it logs looks at the span.
        let known =
            span.extensions_mut().get_mut::<Remembered>().map(|known| core::mem::take(&mut known.values));
        let Some(mut values) = known else { return };
        record.record(&mut values);
        if let Some(remembered) = span.extensions_mut().get_mut::<Remembered>() {
            remembered.values = values;
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if self.spans
            && let Some(span) = context.span(id)
            && let Some(remembered) = span.extensions_mut().get_mut::<Remembered>()
        {
            remembered.entered = clock::now();
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if self.spans
            && let Some(span) = context.span(id)
            && let Some(remembered) = span.extensions_mut().get_mut::<Remembered>()
        {
            remembered.busy += clock::now().saturating_sub(remembered.entered);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let meta = event.metadata();
        if is_ours(meta) {
            return;
        }
        #[cfg(feature = "log")]
        if let Some((foreign, arguments)) = super::log::line(event, self.component) {
            return self.event(foreign, context.event_scope(event), |values| arguments.add(values));
        }
        let Some(foreign) = sites::of(meta, self.component) else { return };
        self.event(foreign, context.event_scope(event), |values| event.record(values));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id).filter(|_| self.spans) else { return };
        let Some(remembered) = span.extensions_mut().remove::<Remembered>() else { return };
        let foreign = remembered.foreign;
        if !foreign.site.enabled() {
            return;
        }
        let mut values = remembered.values;
        add_scope(&mut values, foreign.fields, span.parent().map(|parent| parent.scope()));
        let at = foreign.fields + 2;
        values.add(at, &Elapsed(remembered.opened));
        values.add(at + 1, &(clock::CALIBRATION.get().nanos(remembered.busy as i64) as f64 / 1e6));
        lazy::begin();
        let previous = thread::swap_decision(remembered.decision);
        record::only_record(&foreign.site, &InOrder { values: &values, count: at + SPAN_EXTRA.len() });
        thread::set_decision(previous);
    }
}

impl Layer {
    #[expect(clippy::unused_self, reason = "what a line needs may come to depend on the layer")]
    fn event<'a, S: LookupSpan<'a>>(
        &self,
        foreign: &'static Foreign,
        scope: Option<tracing_subscriber::registry::Scope<'a, S>>,
        visit: impl FnOnce(&mut Values),
    ) {
        if !foreign.site.enabled() {
            return;
        }
        with_scratch(foreign.classes, |values| {
            visit(values);
            add_scope(values, foreign.fields, scope);
            lazy::begin();
            record::only_record(&foreign.site, &InOrder { values, count: foreign.fields + 2 });
        });
    }
}

/// The spans around: their names, the outermost first, and their fields; an inner one's counts where names are equal.
fn add_scope<'a, S: LookupSpan<'a>>(
    values: &mut Values,
    at: usize,
    scope: Option<tracing_subscriber::registry::Scope<'a, S>>,
) {
    let Some(scope) = scope else { return };
    let spans: Vec<SpanRef<'a, S>> = scope.from_root().collect();
    if spans.is_empty() {
        return;
    }
    let mut names = String::new();
    let mut pairs = Vec::new();
    let extensions: Vec<_> = spans.iter().map(SpanRef::extensions).collect();
    for (span, extensions) in spans.iter().zip(&extensions) {
        let Some(remembered) = extensions.get::<Remembered>() else { continue };
        if !names.is_empty() {
            names.push(':');
        }
        names.push_str(span.name());
        for field in span.metadata().fields() {
            if let Some(value) = remembered.values.get(field.index()) {
                pairs.retain(|(known, _)| *known != field.name());
                pairs.push((field.name(), value));
            }
        }
    }
    if !names.is_empty() {
        values.add(at, names.as_str());
    }
    if !pairs.is_empty() {
        values.add_map(at + 1, &pairs);
    }
}
