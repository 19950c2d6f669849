//! `tape sites`: the call sites that recorded, and whether those that must have recorded did.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::json::plain;
use crate::query::filter::Keys;
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::root;
use crate::source::Want;

/// List the call sites that recorded: file and line, function, events, how often
///
/// What never ran is not listed. `--require` is for CI: after a test session, every named function, file or event type
/// must have recorded. Exit code 1: one did not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape sites
  tape sites --require place_order --require src/router.rs --require ORDER_CONTEXT
  tape sites --json | jq -r .source")]
pub(crate) struct Sites {
    /// A function, a file, or an event type that must be there
    #[arg(long, value_name = "NAME")]
    require: Vec<String>,
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
    if args.require.is_empty() || args.json {
        list(&sites, args.json, out, look)?;
    }
    let missing: Vec<_> = args
        .require
        .iter()
        .filter(|name| !sites.iter().any(|(source, site)| is_it(name, source, site)))
        .collect();
    if !args.json && !args.require.is_empty() {
        for name in &args.require {
            let there = !missing.contains(&name);
            let (tone, word) = if there { (Tone::Good, "recorded") } else { (Tone::Bad, "MISSING ") };
            writeln!(out, "{}  {}", look.paint(tone, word), safe(name))?;
        }
    }
    Ok(if missing.is_empty() { Outcome::Fine } else { Outcome::Finding })
}

fn is_it(name: &str, source: &str, site: &Site) -> bool {
    let file = source.rsplit_once(':').map_or(source, |(file, _)| file);
    let of_path = |path: &str| path == name || path.ends_with(&format!("/{name}"));
    site.functions.contains(name) || site.types.contains_key(name) || of_path(source) || of_path(file)
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
