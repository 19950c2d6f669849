//! A story as one page, to keep with the incident or to send.

use std::fmt::Write as _;
use std::io::Write;

use super::Story;
use super::describe::describe;
use super::verdict::is_error;
use crate::failure::Failure;
use crate::page::{page, text};
use crate::render::Tone;
use crate::time;

pub(super) fn page_of(story: &Story<'_>, id: &str) -> String {
    let verdict = &story.verdict;
    let class = match verdict.tone {
        Tone::Good => "good",
        Tone::Careful => "careful",
        Tone::Bad => "bad",
        _ => "",
    };
    let rest = verdict.text.strip_prefix(verdict.word).unwrap_or_default();
    let mut body = format!(
        "<h1><span class=\"{class}\">{}</span>{}</h1><p>{}</p>",
        text(verdict.word),
        text(rest),
        text(&story.title.about.join(" · "))
    );
    for row in story.names.legend() {
        let _ = write!(body, "<p class=\"mono\">{}</p>", text(&row.join("  ")));
    }
    for (_, run) in &story.title.runs {
        let _ = write!(body, "<p class=\"q\">{}</p>", text(run));
    }
    body.push_str("<h2>Events</h2><table class=\"mono\"><thead><tr><th class=\"n\">ms</th><th>event</th><th>what</th><th>where</th></tr></thead><tbody>\n");
    let start = story.lines.all.iter().find_map(|line| line.at);
    for line in &story.lines.all {
        let at = line.at.zip(start).map_or_else(String::new, |(at, start)| time::offset_ms(at - start));
        let class = if is_error(line) { " class=\"bad\"" } else { "" };
        let place =
            [line.text("source"), line.text("thread")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            body,
            "<tr><td class=\"n\">{}</td><td{class}>{}</td><td><details><summary>{}</summary><pre>{}</pre></details></td><td class=\"q\">{}</td></tr>",
            text(&at),
            text(&line.event_type()),
            text(&describe(line, &story.names).fit(400)),
            text(&line.raw),
            text(&place)
        );
    }
    body.push_str("</tbody></table>");
    if !story.around.lines.is_empty() {
        body.push_str("<h2>Meanwhile</h2>");
        let rows: Vec<_> = story
            .around
            .lines
            .iter()
            .map(|line| {
                ["timestamp", "event_type", "message"]
                    .map(|key| line.text(key).unwrap_or_default().into_owned())
                    .to_vec()
            })
            .collect();
        body.push_str(&crate::page::table(&["time", "event", "message"], &[], &rows));
    }
    for note in story.lines.notes.words() {
        let _ = write!(body, "<p class=\"q\">note: {}</p>", text(&note));
    }
    page(&format!("{} · {id}", verdict.word), &body)
}

pub(super) fn page_to(out: &mut dyn Write, id: &str, story: &Story<'_>) -> Result<(), Failure> {
    out.write_all(page_of(story, id).as_bytes())?;
    Ok(())
}
