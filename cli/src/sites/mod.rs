//! `tape sites`: the call sites that recorded, those that a binary has, and whether those that must be there are.

mod binary;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::json::plain;
use crate::query::filter::Keys;
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::root;
use crate::source::Want;

use binary::Known;

/// List the call sites that recorded, or all that a binary has: file and line, function, events
///
/// Without `--binary` only what ran is listed, and how often. `--binary` reads a program's file, which needs its symbols
/// (no `strip`), and runs nothing. `--require` is for CI: every named function, file or event type must be there.
/// Exit code 1: one is not, or, with `--unrecorded`, a site never recorded.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape sites
  tape sites --require place_order --require src/router.rs --require ORDER_CONTEXT
  tape sites --binary target/release/engine --require place_order
  tape sites --binary target/debug/engine --unrecorded      what the last run did not reach
  tape sites --json | jq -r .source")]
pub(crate) struct Sites {
    /// A function, a file, or an event type that must be there
    #[arg(long, value_name = "NAME")]
    require: Vec<String>,
    /// The instrumented functions and events of this program, whether they ran or not
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Of the program, only what the run did not record
    #[arg(long, requires = "binary")]
    unrecorded: bool,
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each site
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Default)]
struct Site {
    functions: std::collections::BTreeSet<String>,
    types: BTreeMap<String, u64>,
}

/// See the module.
pub(crate) fn sites(
    args: &Sites,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    if let Some(path) = &args.binary {
        return of_binary(path, args, place, out, look);
    }
    let sites = recorded(args, place, look)?;
    if args.require.is_empty() || args.json {
        list(&sites, args.json, out, look)?;
    }
    required(args, out, look, "recorded", |name| sites.iter().any(|(source, site)| is_it(name, source, site)))
}

/// What the program has.
fn of_binary(
    path: &std::path::Path,
    args: &Sites,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let mut known = binary::read(path)?;
    let there = |name: &str| {
        known.iter().any(|(source, known)| {
            known.function == name || known.types.contains(name) || is_of_path(name, source)
        })
    };
    if !args.require.is_empty() {
        return required(args, out, look, "there", there);
    }
    // What the recorder says of itself is nobody's instrumentation.
    known.retain(|_, known| known.module.split("::").next() != Some("tapelog"));
    let all = known.len() as u64;
    if args.unrecorded {
        let recorded = recorded(args, place, look)?;
        known.retain(|source, _| !recorded.contains_key(source));
    }
    list_known(&known, args, all, out, look)?;
    Ok(if args.unrecorded && !known.is_empty() { Outcome::Finding } else { Outcome::Fine })
}

/// Says of every name that is required whether it is there.
fn required(
    args: &Sites,
    out: &mut dyn Write,
    look: &Look,
    word: &str,
    there: impl Fn(&str) -> bool,
) -> Result<Outcome, Failure> {
    let mut missing = false;
    for name in &args.require {
        let there = there(name);
        missing |= !there;
        if args.json {
            continue;
        }
        let (tone, word) = if there { (Tone::Good, word) } else { (Tone::Bad, "MISSING") };
        writeln!(out, "{}  {}", look.paint(tone, &format!("{word:<8}")), safe(name))?;
    }
    Ok(if missing { Outcome::Finding } else { Outcome::Fine })
}

fn recorded(args: &Sites, place: &Place, look: &Look) -> Result<BTreeMap<String, Site>, Failure> {
    let corpus = root::asked(place, args.all, look)?;
    let mut keys = Keys::default();
    for key in ["source", "event_type", "function", "operation"] {
        keys.add(key);
    }
    let (all, _) = corpus.fold(&Want::All, BTreeMap::<String, Site>::new, |sites, hit| {
        let mut values = Vec::new();
        keys.of(hit.line, &mut values);
        let text = |at: usize| values.get(at).copied().flatten().and_then(plain).unwrap_or_default();
        if text(0).is_empty() {
            return !text(1).is_empty();
        }
        let site = sites.entry(text(0).into_owned()).or_default();
        *site.types.entry(text(1).into_owned()).or_default() += 1;
        for name in [text(2), text(3)].into_iter().filter(|name| !name.is_empty()) {
            if site.functions.len() < 8 && !site.functions.contains(&*name) {
                site.functions.insert(name.into_owned());
            }
        }
        true
    });
    let mut sites: BTreeMap<String, Site> = BTreeMap::new();
    for (source, site) in all.into_iter().flatten() {
        let of = sites.entry(source).or_default();
        of.functions.extend(site.functions);
        for (name, many) in site.types {
            *of.types.entry(name).or_default() += many;
        }
    }
    Ok(sites)
}

fn is_it(name: &str, source: &str, site: &Site) -> bool {
    site.functions.contains(name) || site.types.contains_key(name) || is_of_path(name, source)
}

/// Whether a place is in a file, or is the place itself.
fn is_of_path(name: &str, source: &str) -> bool {
    let file = source.rsplit_once(':').map_or(source, |(file, _)| file);
    let of_path = |path: &str| path == name || path.ends_with(&format!("/{name}"));
    of_path(source) || of_path(file)
}

fn list_known(
    known: &BTreeMap<String, Known>,
    args: &Sites,
    all: u64,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    if args.json {
        for (source, known) in known {
            let Known { kinds, function, module, types } = known;
            let (function, module) = (function.as_str(), module.as_str());
            writeln!(
                out,
                "{}",
                json!({"source": source, "function": function, "module": module, "kinds": kinds, "events": types})
            )?;
        }
        return Ok(());
    }
    let title = if args.unrecorded {
        format!("{} of {} never recorded", count(known.len() as u64), plural(all, "site"))
    } else {
        format!("{} in the program", plural(all, "site"))
    };
    writeln!(out, "{}", look.paint(Tone::Title, &title))?;
    let rows: Vec<_> = known
        .iter()
        .map(|(source, known)| {
            let kinds: Vec<_> = known.kinds.iter().copied().collect();
            let types: Vec<_> = known.types.iter().map(String::as_str).collect();
            [source.clone(), known.function.clone(), kinds.join(" "), types.join(" ")]
                .map(|cell| safe(&cell).into_owned())
                .to_vec()
        })
        .collect();
    for line in columns("<<<<", &rows) {
        writeln!(out, "{}", look.cut(&line, 0))?;
    }
    Ok(())
}

fn list(
    sites: &BTreeMap<String, Site>,
    as_json: bool,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    if as_json {
        for (source, site) in sites {
            writeln!(
                out,
                "{}",
                json!({"source": source, "functions": site.functions, "events": site.types})
            )?;
        }
        return Ok(());
    }
    writeln!(
        out,
        "{}",
        look.paint(Tone::Title, &format!("{} recorded", plural(sites.len() as u64, "site")))
    )?;
    let rows: Vec<_> = sites
        .iter()
        .map(|(source, site)| {
            let many: u64 = site.types.values().sum();
            let names: Vec<_> = site.functions.iter().map(String::as_str).collect();
            let types: Vec<_> = site.types.keys().map(String::as_str).collect();
            [source.clone(), count(many), names.join(" "), types.join(" ")]
                .map(|cell| safe(&cell).into_owned())
                .to_vec()
        })
        .collect();
    for line in columns("<><<", &rows) {
        writeln!(out, "{}", look.cut(&line, 0))?;
    }
    Ok(())
}
