//! HTML pages that stand alone: no script, no font, no image from anywhere.
//!
//! Invariant: every text goes through [`text`]; so nothing that was logged becomes a tag, an attribute or a script.

use std::fmt::Write as _;

/// Text inside an element or a quoted attribute; what commands a terminal is shown, what marks up a page is escaped.
pub(crate) fn text(raw: &str) -> String {
    let shown = crate::render::safe(raw);
    let mut out = String::with_capacity(shown.len() + 16);
    for c in shown.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A whole page. `body` is HTML.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = text(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>{STYLE}</style></head>\n\
         <body>{body}</body></html>\n"
    )
}

/// A table. Cells are text; `numbers` says which columns stand to the right.
pub(crate) fn table(head: &[&str], numbers: &[usize], rows: &[Vec<String>]) -> String {
    let class = |column: usize| if numbers.contains(&column) { " class=\"n\"" } else { "" };
    let mut out = String::from("<table><thead><tr>");
    for (at, cell) in head.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(out, "<th{}>{}</th>", class(at), text(cell));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{}</td>", class(at), text(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
    out
}

/// Light and dark, for a screen and for paper.
const STYLE: &str = "\
:root{--bg:#fff;--fg:#1c2024;--quiet:#6b7280;--line:#e5e7eb;--good:#157f3b;--careful:#b45309;--bad:#b91c1c;\
--a:#2563eb;--b:#d97706;--c:#059669;--d:#b91c1c;--e:#7c3aed;--card:#f9fafb}\
@media(prefers-color-scheme:dark){:root{--bg:#111418;--fg:#e6e8eb;--quiet:#9aa3ad;--line:#2b3138;--good:#4ade80;\
--careful:#fbbf24;--bad:#f87171;--a:#60a5fa;--b:#fbbf24;--c:#34d399;--d:#f87171;--e:#a78bfa;--card:#171b20}}\
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--bg);color:var(--fg);\
font:14px/1.45 system-ui,-apple-system,'Segoe UI',sans-serif}h1{font-size:1.4rem;margin:0 0 .25rem}\
h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.25rem 0}.q{color:var(--quiet)}.good{color:var(--good)}\
.careful{color:var(--careful)}.bad{color:var(--bad)}.cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}\
.card{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.6rem .9rem;min-width:8rem}\
.card b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}table{border-collapse:collapse;width:100%;\
font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line);\
vertical-align:top;overflow-wrap:anywhere}th{color:var(--quiet);font-weight:600;white-space:nowrap}\
td.n,th.n{text-align:right;white-space:nowrap}.mono{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12.5px}\
svg{display:block;width:100%;height:auto}svg text{fill:var(--quiet);font:11px system-ui,sans-serif}\
.axis{stroke:var(--line)}pre{white-space:pre-wrap;overflow-wrap:anywhere}details summary{cursor:pointer}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_logged_is_markup() {
        let evil = "<script>alert(\"1\")</script>'&\u{1b}[2J\u{202e}";
        let shown = text(evil);
        assert_eq!(shown, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;\\x1b[2J\\u{202e}");
        let whole = page(evil, &table(&[evil], &[0], &[vec![evil.to_owned()]]));
        assert!(!whole.contains("<script") && !whole.contains('\u{1b}'));
    }
}
