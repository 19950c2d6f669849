//! The fields of events that the macros and the recorder itself write, for the reference. A test holds them against
//! what a run writes.

use crate::Shape;

use super::EntryField;

/// What a field looks like, as it is written in the table.
#[derive(Clone, Copy)]
enum Is {
    Num,
    Int,
    Text,
    Bool,
    Time,
    Texts,
    List,
    Map,
    Any,
}

use Is::{Any, Bool, Int, List, Map, Num, Text, Texts, Time};

impl Is {
    fn shape(self) -> Shape {
        match self {
            Num => Shape::Number,
            Int => Shape::Integer,
            Text => Shape::Text,
            Bool => Shape::Bool,
            Time => Shape::Instant,
            Texts => Shape::List(Box::new(Shape::Text)),
            List => Shape::List(Box::new(Shape::Any)),
            Map => Shape::Map(Box::new(Shape::Any)),
            Any => Shape::Any,
        }
    }
}

/// Name, shape, in every line, meaning.
type Row = (&'static str, Is, bool, &'static str);

const ALWAYS: bool = true;
const SOMETIMES: bool = false;

const ATTEMPT_END: &[Row] = &[
    ("intent_id", Text, ALWAYS, "The intent that the order serves."),
    ("symbol", Text, ALWAYS, "What is traded, for example `BTC/USDT`."),
    ("side", Text, ALWAYS, "`buy` or `sell`."),
    ("attempt", Int, ALWAYS, "Which attempt, from 1."),
    ("duration_ms", Num, ALWAYS, "How long the attempt took, in milliseconds."),
    ("outcome", Text, ALWAYS, "`accepted`, `rejected`, `failed` or `unknown`."),
    ("ended", Text, ALWAYS, "How the function ended: `ok`, `err`, `panicked`, `cancelled`, `returned`."),
    ("error", Text, SOMETIMES, "What the error said, with its sources; secrets are scrubbed."),
    ("order_id", Text, SOMETIMES, "The venue's id of the order."),
];

const GUARD: &[Row] = &[
    ("symbol", Text, SOMETIMES, "What is traded, for example `BTC/USDT`."),
    ("rule", Text, SOMETIMES, "The rule that was checked."),
    ("value", Num, SOMETIMES, "What was found."),
    ("limit", Num, SOMETIMES, "What is allowed."),
];

const FILL: &[Row] = &[
    ("intent_id", Text, SOMETIMES, "The intent that the order serves."),
    ("order_id", Text, SOMETIMES, "The venue's id of the order."),
    ("symbol", Text, SOMETIMES, "What is traded, for example `BTC/USDT`."),
    ("qty", Num, SOMETIMES, "How much."),
    ("px", Num, SOMETIMES, "The price."),
    ("fee", Num, SOMETIMES, "What the fill cost."),
];

const ORDER: &[Row] = &[
    ("intent_id", Text, SOMETIMES, "The intent that the order serves."),
    ("symbol", Text, SOMETIMES, "What is traded, for example `BTC/USDT`."),
    ("qty", Num, SOMETIMES, "How much is wanted."),
    ("limit_px", Num, SOMETIMES, "The limit."),
];

const PERFORMANCE: &[Row] = &[
    ("operation", Text, ALWAYS, "What was done: the function's name unless said."),
    ("execution_time_ms", Num, ALWAYS, "How long it took, in milliseconds."),
    ("outcome", Text, ALWAYS, "`ok`, `err`, `panicked`, `cancelled` or `returned`."),
    ("memory_usage_mb", Num, SOMETIMES, "Resident memory, in MiB."),
    ("cpu_usage_percent", Num, SOMETIMES, "Processor time by elapsed time."),
];

/// Every field that is known of an event.
pub(super) fn fields(event: &str) -> Vec<EntryField> {
    let rows: &[Row] = match event {
        "DECISION_START" => &[
            ("parent_decision_id", Text, SOMETIMES, "The decision around this one."),
            ("started_at", Time, SOMETIMES, "When it really began, where it was recorded later (`lazy`)."),
            ("function", Text, ALWAYS, "The function that decides."),
            ("kind", Text, SOMETIMES, "What is decided, for example `buy`."),
            ("inputs", Map, SOMETIMES, "The values decided upon, with their age in milliseconds."),
        ],
        "DECISION_END" => &[
            ("outcome", Text, ALWAYS, "`ok`, `err`, `panicked`, `cancelled` or `returned`."),
            ("duration_ms", Num, ALWAYS, "How long deciding took, in milliseconds."),
            ("verdict", Text, SOMETIMES, "What was decided."),
            ("function", Text, ALWAYS, "The function that decided."),
            ("kind", Text, SOMETIMES, "What was decided about, for example `buy`."),
            ("rule", Text, SOMETIMES, "The rule of the last `verdict!`."),
            ("value", Num, SOMETIMES, "What it found."),
            ("limit", Num, SOMETIMES, "What it allows."),
            ("error", Text, SOMETIMES, "What the error said, with its sources; secrets are scrubbed."),
        ],
        "DECISION_CLOSED" => &[
            ("function", Text, SOMETIMES, "The function that decided."),
            ("kind", Text, SOMETIMES, "What was decided about."),
        ],
        "BUY_BLOCKED" | "SELL_BLOCKED" | "BUY_TRIGGERED" | "SELL_TRIGGERED" | "BUY_CANDIDATE" => GUARD,
        "BUY_ORDER" | "SELL_ORDER" => ORDER,
        "BUY_FILLED" | "SELL_FILLED" => FILL,
        "ORDER_CONTEXT" => &[
            ("intent_id", Text, ALWAYS, "The intent that the order serves (S4-003)."),
            ("symbol", Text, ALWAYS, "What is traded, for example `BTC/USDT` (S4-003)."),
            ("side", Text, ALWAYS, "`buy` or `sell` (S4-003)."),
            ("qty", Num, ALWAYS, "How much is wanted (S4-004)."),
            ("limit_px", Num, SOMETIMES, "The limit, or `null` (S4-004)."),
            ("quote_budget", Num, SOMETIMES, "How much may be spent, or `null` (S4-004)."),
            ("notional", Num, SOMETIMES, "The value of the order, or `null` (S4-004)."),
            ("tif", Text, SOMETIMES, "How long it stands, for example `IOC`, or `null` (S4-004)."),
            ("slippage_bps", Num, SOMETIMES, "How much slippage is allowed, or `null` (S4-004)."),
            ("min_notional", Num, SOMETIMES, "The least value that the venue takes, or `null` (S4-004)."),
            ("max_retries", Int, SOMETIMES, "How many attempts there may be, or `null` (S4-005)."),
            (
                "retry_backoff_ms",
                Int,
                SOMETIMES,
                "How long is waited between two, in milliseconds, or `null` (S4-005).",
            ),
            ("attempt", Int, ALWAYS, "Which attempt, from 1 (S4-005)."),
            ("attempt_start_ts", Num, ALWAYS, "When it began, seconds since 1970 (S4-005)."),
            ("client_order_id", Text, SOMETIMES, "Our own id of the order."),
            ("orig_client_order_id", Text, SOMETIMES, "Our id of the order that is cancelled or replaced."),
            ("venue", Text, SOMETIMES, "Where it is traded."),
        ],
        "ORDER_SUBMITTED" | "ORDER_REJECTED" | "ORDER_FAILED" | "ORDER_UNKNOWN" => ATTEMPT_END,
        "ORDER_CLOSED" => &[
            ("client_order_id", Text, SOMETIMES, "Our own id of the order, where it was placed under one."),
            ("intent_id", Text, SOMETIMES, "The intent that the order serves, where it has no id of ours."),
            (
                "order_state",
                Text,
                ALWAYS,
                "`filled`, `cancelled`, `rejected`, `expired`, `replaced`, `done_for_day`, or `closed`.",
            ),
        ],
        "ORDER_RESTORED" => &[
            ("intent_id", Text, ALWAYS, "The intent that the order serves."),
            ("client_order_id", Text, SOMETIMES, "Our own id of the order, where it was placed under one."),
        ],
        "DASH_EVENT" => &[
            ("dashboard_event_type", Text, ALWAYS, "What the dashboard was told, for example `BUY_FILLED`."),
            ("display_time", Text, ALWAYS, "`HH:MM:SS`, UTC (C10)."),
        ],
        "PERFORMANCE" | "PERFORMANCE_SLOW" => PERFORMANCE,
        "PERFORMANCE_SUMMARY" => &[
            ("operation", Text, ALWAYS, "What was done."),
            ("count", Int, ALWAYS, "How many calls there were."),
            ("p50_ms", Num, ALWAYS, "Half of them took less, in milliseconds."),
            ("p90_ms", Num, ALWAYS, "Nine of ten took less."),
            ("p99_ms", Num, ALWAYS, "99 of 100 took less."),
            ("p999_ms", Num, ALWAYS, "999 of 1000 took less."),
            ("max_ms", Num, ALWAYS, "The longest."),
            ("function_file", Text, ALWAYS, "Where the function stands."),
            ("function_line", Int, ALWAYS, "And in which line."),
        ],
        "RUN_STARTED" => &[
            ("pid", Int, ALWAYS, "The process id."),
            ("clock_source", Text, ALWAYS, "What stamps the records: `tsc` or `clock_monotonic`."),
        ],
        "RUN_ENDED_UNCLEANLY" | "RUN_UNRECOVERABLE" => &[
            ("previous_session", Text, ALWAYS, "The session that died."),
            ("run_dir", Text, ALWAYS, "Its run directory."),
            ("recovered_records", Int, SOMETIMES, "How many records were still in its rings."),
            ("torn_lines", Int, SOMETIMES, "How many unfinished last lines were cut off."),
            ("damaged_rings", Int, SOMETIMES, "How many rings held bytes that are no record."),
            ("lost_records", Int, SOMETIMES, "How many records were lost and not yet said to be."),
        ],
        "RECORDS_LOST" => &[
            ("lost", Int, ALWAYS, "How many since the last such event."),
            ("lost_total", Int, ALWAYS, "How many in the run."),
            ("first_lost", Time, ALWAYS, "When the first was lost."),
            ("last_lost", Time, ALWAYS, "When the last was lost."),
            ("causes", Texts, ALWAYS, "Why: `ring_full`, `reentrant`, `too_large`, `no_ring`, `no_file`, …"),
        ],
        "RING_DEGRADED" => &[
            ("place", Text, ALWAYS, "Where rings are now: `disk` or `memory`."),
            ("promise", Text, ALWAYS, "What still holds."),
        ],
        "FIELD_TYPE_CONFLICT" => &[
            ("field", Text, ALWAYS, "The name."),
            ("first", Text, ALWAYS, "The type it had first."),
            ("second", Text, ALWAYS, "The type it came with."),
            ("written_as", Text, ALWAYS, "The name under which the second stands."),
        ],
        "CLOCK_STEP" => &[("step_ms", Num, ALWAYS, "By how much the wall clock jumped, in milliseconds.")],
        "FILES_RESTORED" => &[("files", Int, ALWAYS, "How many files were put back.")],
        "DURABILITY_LATE" => &[("calls", Int, ALWAYS, "How many calls returned too early.")],
        "WRITE_FAILED" => &[("failed_ms", Num, ALWAYS, "For how long, in milliseconds.")],
        "CONFIG_HASH" => &[
            ("config_hash", Text, ALWAYS, "16 hexadecimal digits of SHA-256 (S4-018, C20)."),
            ("config_sha256", Text, ALWAYS, "All 64."),
            ("config", Map, ALWAYS, "The configuration, without secrets."),
        ],
        "CONFIG_DIFF" => &[
            ("prev_hash", Text, SOMETIMES, "The hash before (S4-021)."),
            ("current_hash", Text, SOMETIMES, "The hash now (S4-021)."),
            ("prev_session", Text, SOMETIMES, "The session before (S4-021)."),
            ("changes", List, SOMETIMES, "What changed: `path`, `op`, `old`, `new` (C21)."),
        ],
        "CONFIG_OVERRIDES" => &[("overrides", Map, ALWAYS, "Name and `value (from env)` (S4-029).")],
        "SHUTDOWN_HEARTBEAT" => &[
            ("registered_components", List, ALWAYS, "The components, and whether they stopped (S4-024)."),
            ("registered_threads", List, ALWAYS, "The threads: name, alive, age, where (S4-024)."),
            ("recent_heartbeats", List, ALWAYS, "The last heartbeats (S4-024)."),
            ("last_heartbeat_age_s", Num, ALWAYS, "Since the last one, in seconds (S4-025)."),
            ("shutdown_requested", Bool, ALWAYS, "Whether the end was asked for (S4-025)."),
            ("stats", Map, ALWAYS, "Counts of the recorder (S4-025)."),
        ],
        "THREAD_PANICKED" | "PANIC" => &[
            ("thread_id", Int, SOMETIMES, "The kernel's id of the thread."),
            ("panic_message", Text, SOMETIMES, "What it said; secrets are scrubbed."),
            ("panic_place", Text, SOMETIMES, "Where, `file:line:column`."),
            ("backtrace", Any, SOMETIMES, "Its backtrace, with RUST_BACKTRACE=1."),
        ],
        "ERROR" => &[
            ("error_code", Text, SOMETIMES, "The code, for example `EXEC-001` (S2-036)."),
            ("severity", Text, SOMETIMES, "`CRITICAL`, `HIGH`, `MEDIUM` or `LOW` (S2-037)."),
            ("component", Text, SOMETIMES, "Which component."),
            ("error", Text, SOMETIMES, "What the error said; secrets are scrubbed."),
            ("error_chain", Texts, SOMETIMES, "What its sources said, the outermost first."),
            ("backtrace", Any, SOMETIMES, "Where it was recorded, with RUST_BACKTRACE=1."),
        ],
        "EVENTS_SUPPRESSED" => &[
            ("suppressed", Int, ALWAYS, "How many events were left out since the last such event."),
            ("suppressed_total", Int, ALWAYS, "How many in the run."),
            ("suppressed_event", Text, ALWAYS, "Which event."),
            ("suppressed_source", Text, ALWAYS, "Of which line of the source."),
        ],
        "LOGGING_CONFIGURED" => &[
            ("logging_levels", Map, ALWAYS, "The level of each target."),
            ("logging_sampling", Map, ALWAYS, "The sampling of each target."),
            (
                "logging_files",
                Map,
                SOMETIMES,
                "What the file says of rotation, retention and names, as it is done.",
            ),
            ("logging_left", Map, SOMETIMES, "What it says and the recorder does not do, and who does."),
            ("origin", Text, ALWAYS, "Where it comes from: a file, the environment, the program."),
        ],
        "THREAD_STALLED" => &[
            ("stalled_thread", Text, ALWAYS, "Its name."),
            ("thread_id", Int, ALWAYS, "The kernel's id of the thread."),
            ("stage", Text, ALWAYS, "`warn` after the first age, `max` after the second or a deadline."),
            ("age_s", Num, ALWAYS, "How long it made no progress, or how long the call takes, in seconds."),
            ("function", Text, ALWAYS, "The annotated function that it is in, or empty."),
            ("location", Text, ALWAYS, "The same with file and line."),
            ("since", Time, SOMETIMES, "When it entered the function."),
            (
                "kernel_state",
                Text,
                ALWAYS,
                "What the kernel says that it does: `sleep`, `mutex (futex)`, `running`.",
            ),
            ("wait_channel", Text, SOMETIMES, "Where in the kernel it waits."),
            ("waits_for", Text, SOMETIMES, "The tracked lock that it waits for, and who holds it."),
            ("enclosing", Texts, ALWAYS, "The annotated functions around, from the inside."),
            ("critical", Bool, ALWAYS, "Whether the engine called it critical."),
            ("beats", Int, ALWAYS, "Scopes entered, and beats."),
        ],
        "DECISION_STALLED" => &[
            ("open", Text, ALWAYS, "`decision`, `attempt` or `call`."),
            ("stage", Text, ALWAYS, "`warn` after the first age, `max` after the second or a deadline."),
            ("age_s", Num, ALWAYS, "How long nobody polled it, or how long it takes, in seconds."),
            ("function", Text, ALWAYS, "The innermost annotated function of it."),
            ("location", Text, ALWAYS, "The same with file and line."),
            ("decision_function", Text, ALWAYS, "The function of the decision."),
            ("since", Time, ALWAYS, "When that began."),
            ("polls", Int, ALWAYS, "How often it was polled."),
            ("why", Text, ALWAYS, "`nobody polls it` or `its deadline passed`."),
        ],
        "LISTENER_DROPPED" => &[
            ("listener", Text, ALWAYS, "Which listener."),
            ("dropped", Int, ALWAYS, "How many lines it did not get since the last such event."),
        ],
        _ => &[],
    };
    let field = |&(name, is, required, doc): &Row| EntryField {
        name,
        shape: is.shape(),
        required,
        doc: doc.to_owned(),
    };
    rows.iter().map(field).collect()
}
