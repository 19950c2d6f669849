//! What annotations cost the compiler: 300 functions of about fifteen lines, two fields each, in release.
//!
//! Invariant: each variant is the same source but for one line above each function. Dependencies are built before the
//! clock starts; what is timed is one `cargo build` that builds the one crate.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::files;
use crate::report::{Goal, Size, Table};
use crate::stats::median;

const FUNCTIONS: u32 = 300;

/// Name, dependency, attribute.
const VARIANTS: [(&str, &str, &str); 11] = [
    ("nothing", "", ""),
    (BY_HAND, "", ""),
    (
        "tapelog-decision",
        "tapelog = { path = \"RUNTIME\" }",
        "#[tapelog::decision(fields(symbol, spread_bps))]",
    ),
    (
        "tapelog-performance",
        "tapelog = { path = \"RUNTIME\" }",
        "#[tapelog::log_performance(args(symbol, spread_bps))]",
    ),
    (
        "fastrace-bare",
        "fastrace = { version = \"0.7.19\", features = [\"enable\"] }",
        "#[fastrace::trace(short_name = true)]",
    ),
    (
        "fastrace",
        "fastrace = { version = \"0.7.19\", features = [\"enable\"] }",
        "#[fastrace::trace(short_name = true, properties = { \"symbol\": \"{symbol}\", \"spread\": \"{spread_bps}\" })]",
    ),
    (OWN_NOTHING, "", ""),
    (OWN_DECISION, "tapelog = { path = \"RUNTIME\" }", "#[tapelog::decision(fields(a, b, c))]"),
    ("tracing-bare", "tracing = \"0.1.44\"", "#[tracing::instrument(skip_all)]"),
    (
        "tracing",
        "tracing = \"0.1.44\"",
        "#[tracing::instrument(skip_all, fields(symbol = symbol, spread_bps = spread_bps))]",
    ),
    ("emit", "emit = \"2.23.0\"", "#[emit::info_span(\"guard\", symbol, spread_bps)]"),
];

/// No attribute: the least that opens a scope with two fields, sees how the function ended and notices a panic, written
/// out by hand around the same bodies. What an attribute adds is on top of that.
const BY_HAND: &str = "by-hand";

/// Functions with three numbers more, of which no two functions have the same three types: what of an annotation is
/// compiled for each combination of types is paid here by each function, where the others share it.
const OWN_NOTHING: &str = "own-types-nothing";
/// See [`OWN_NOTHING`].
const OWN_DECISION: &str = "own-types-tapelog-decision";

/// It takes a minute: left out of a brief run, and built once. The last of [`VARIANTS`].
const SLOW: &str = "emit";
/// So many of the first are judged by, or are what the others are compared with.
const JUDGED: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: f64,
    cpu: f64,
}

/// Measures, and says which goals hold.
///
/// Each variant is compared with what no attribute took in the same round: the machine is now fast and now slow, for
/// minutes, so that the least of one series may be from a minute that another never saw.
pub fn run(size: Size) -> Table {
    let root = generate();
    let variants = &VARIANTS[..VARIANTS.len() - size.pick(1, 0)];
    let mut costs = vec![Vec::new(); variants.len()];
    for round in 0..size.pick(1, 15) {
        for (at, ((name, ..), costs)) in variants.iter().zip(&mut costs).enumerate() {
            // What is judged is built most often: a build differs from the next by a tenth.
            let rounds = if *name == SLOW {
                1
            } else if at < JUDGED {
                15
            } else {
                3
            };
            if round < rounds {
                costs.push(build(&root, name));
            }
        }
    }
    let mut table = Table::new(
        "compile",
        "300 functions with two fields each in release: seconds, and times no attribute by processor time; medians of 15 \
         rounds, of peers of three; judged by the ratios within each round; own-types is compared with its own nothing",
        &["attribute", "wall", "processor", "× nothing", "least × least"],
    );
    let cpu = |costs: &[Cost]| costs.iter().map(|cost| cost.cpu).collect::<Vec<f64>>();
    let nothing = cpu(&costs[0]);
    let own = variants.iter().position(|(name, ..)| *name == OWN_NOTHING).expect("one of them");
    let own_nothing = cpu(&costs[own]);
    let mut judged = Vec::new();
    for ((name, ..), costs) in variants.iter().zip(&costs) {
        let mut wall: Vec<f64> = costs.iter().map(|cost| cost.wall).collect();
        let mut cpu = cpu(costs);
        let nothing = if *name == OWN_DECISION { &own_nothing } else { &nothing };
        let mut ratios: Vec<f64> = cpu.iter().zip(nothing).map(|(cost, nothing)| cost / nothing).collect();
        let ratio = median(&mut ratios);
        let row = [
            format!("{:.2}", median(&mut wall)),
            format!("{:.2}", median(&mut cpu)),
            format!("{ratio:.2}"),
            format!("{:.2}", least(&cpu) / least(nothing)),
        ];
        table.row(name, &row);
        judged.push(ratio);
    }
    table.goal(Goal::at_most("#[decision] with two fields / no attribute", judged[2], 1.5));
    table.goal(Goal::at_most("#[log_performance] with two fields / no attribute", judged[3], 1.5));
    table
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// A workspace of one crate for each variant, so that they share what they depend on.
fn generate() -> PathBuf {
    let root = files::root().join("compile");
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime");
    let members: Vec<_> = VARIANTS.iter().map(|(name, ..)| format!("\"{name}\"")).collect();
    write(
        &root.join("Cargo.toml"),
        &format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", ")),
    );
    for (name, dependency, attribute) in VARIANTS {
        let dependency = dependency.replace("RUNTIME", &runtime.display().to_string());
        let manifest = format!(
            "[package]\nname = \"variant-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n"
        );
        write(&root.join(name).join("Cargo.toml"), &manifest);
        let source = match name {
            BY_HAND => by_hand(),
            OWN_NOTHING | OWN_DECISION => with_types_of_their_own(&source(attribute)),
            _ => source(attribute),
        };
        write(&root.join(name).join("src/lib.rs"), &source);
    }
    root
}

fn source(attribute: &str) -> String {
    let mut out = String::new();
    for at in 0..FUNCTIONS {
        let (limit, floor) = (f64::from(at) * 1_000.0 + 0.5, f64::from(at) + 0.25);
        let _ = write!(
            out,
            "{attribute}
pub fn guard_{at}(symbol: &str, spread_bps: f64, book: &[(f64, f64)]) -> Result<f64, String> {{
    let mut notional = 0.0;
    let mut levels = 0_u32;
    for (px, qty) in book {{
        if *qty <= 0.0 {{
            continue;
        }}
        notional += px * qty;
        levels += 1;
        if notional > {limit:?} {{
            break;
        }}
    }}
    if levels == 0 {{
        return Err(format!(\"no book for {{symbol}}\"));
    }}
    let impact = notional / f64::from(levels) * (1.0 + spread_bps / 10_000.0);
    if impact > {limit:?} * 10.0 {{
        return Err(format!(\"{{symbol}}: impact of {{impact:.2}}\"));
    }}
    Ok(impact.max({floor:?}))
}}

"
        );
    }
    out
}

/// Each function with three numbers more, of types that no other has in this order.
fn with_types_of_their_own(source: &str) -> String {
    const TYPES: [&str; 7] = ["u8", "u16", "u32", "u64", "i16", "i32", "f64"];
    let one = |at: usize| TYPES[at % TYPES.len()];
    let mut at = 0;
    source
        .split_inclusive("book: &[(f64, f64)]")
        .map(|piece| {
            let more = format!(
                ", a: {}, b: {}, c: {}",
                one(at),
                one(at / TYPES.len()),
                one(at / TYPES.len().pow(2))
            );
            at += 1;
            if piece.ends_with(']') { format!("{piece}{more}") } else { piece.to_owned() }
        })
        .collect::<String>()
        .replace("    let mut notional = 0.0;\n", "    let _ = (a, b, c);\n    let mut notional = 0.0;\n")
}

/// What all scopes share, and each body between an opening and a closing.
fn by_hand() -> String {
    let functions = source("").replace(" -> Result<f64, String> {\n", " -> Result<f64, String> {\n@\n");
    let mut out = String::from(
        "use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};

pub static MODE: AtomicUsize = AtomicUsize::new(0);
pub struct Site(pub AtomicUsize, pub &'static str, pub &'static Location<'static>);
impl Site {
    #[track_caller]
    pub const fn new(text: &'static str) -> Self {
        Self(AtomicUsize::new(0), text, Location::caller())
    }
}
pub struct Scope(usize);
impl Drop for Scope {
    #[inline(always)]
    fn drop(&mut self) {
        unclosed(self.0);
    }
}
#[cold]
#[inline(never)]
pub extern \"C\" fn unclosed(scope: usize) {
    MODE.store(scope, Ordering::Relaxed);
}
#[allow(improper_ctypes_definitions)]
#[inline(never)]
pub extern \"C\" fn open(site: &'static Site, fields: &(&&str, &f64)) -> Scope {
    Scope(if MODE.load(Ordering::Relaxed) == 0 { 0 } else { site.0.load(Ordering::Relaxed) + fields.0.len() })
}
#[allow(improper_ctypes_definitions)]
#[inline(never)]
pub extern \"C\" fn close<T, E: std::fmt::Display>(scope: Scope, result: &Result<T, E>) {
    if scope.0 != 0
        && let Err(error) = result
    {
        MODE.store(error.to_string().len(), Ordering::Relaxed);
    }
    std::mem::forget(scope);
}
#[inline(always)]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

",
    );
    for function in functions.split_inclusive("\n}\n") {
        let function = function.replacen(
            "@\n",
            "    static SITE: Site = Site::new(\"guard symbol spread_bps\");
    let scope = open(&SITE, &(&symbol, &spread_bps));
    let result = call(#[inline(always)] || -> Result<f64, String> {
",
            1,
        );
        match function.strip_suffix("}\n") {
            Some(body) if body.contains("SITE") => {
                out.push_str(body);
                out.push_str("    });\n    close(scope, &result);\n    result\n}\n");
            }
            _ => out.push_str(&function),
        }
    }
    out
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// Builds one crate anew, and that crate alone: somebody may have changed the runtime meanwhile.
fn build(root: &Path, name: &str) -> Cost {
    loop {
        let library = root.join(name).join("src/lib.rs");
        let text = fs::read(&library).expect("generated");
        // A new time is what makes cargo build it again.
        fs::write(&library, text).expect("a file");
        let (wall, cpu) = (Instant::now(), children_cpu());
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--release", "-p"])
            .arg(format!("variant-{name}"))
            .current_dir(root)
            .env("CARGO_TARGET_DIR", root.join("target"))
            .output()
            .expect("cargo runs");
        let cost = Cost { wall: wall.elapsed().as_secs_f64(), cpu: children_cpu() - cpu };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "variant {name} does not build: {}\n{said}", root.display());
        if said.matches("Compiling ").count() == 1 {
            return cost;
        }
    }
}

/// The processor time of all children that ended, theirs included.
fn children_cpu() -> f64 {
    // SAFETY: all zeros are a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for the result.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
