"""Renders what `tape` writes as PNG: `tape … --color always | python3 docs/screens/render.py out.png`, or a page: `render.py out.png page.html`.

Needs chromium. The colours are those of a dark terminal of 80 columns.
"""
import html
import pathlib
import re
import subprocess
import sys
import tempfile

COLOURS = {"1;32": "#4ade80;font-weight:600", "33": "#fbbf24", "1;31": "#f87171;font-weight:600", "2": "#8b949e", "1": "#ffffff;font-weight:600"}


def to_html(text: str) -> str:
    parts = []
    for piece in re.split(r"(\x1b\[[0-9;]*m)", text):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if code is None:
            parts.append(html.escape(piece))
        elif code[1] in COLOURS:
            parts.append(f'<span style="color:{COLOURS[code[1]]}">')
        else:
            parts.append("</span>")
    style = "margin:0;padding:14px 18px;background:#0d1117;color:#d1d7de;font:14px/1.35 'DejaVu Sans Mono',monospace;white-space:pre"
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0;background:#0d1117"><pre style="{style}">{"".join(parts)}</pre>'


def shoot(page: str, out: str, width: int, height: int) -> None:
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}", f"--screenshot={out}", page],
        check=True,
        capture_output=True,
        timeout=120,
    )


if len(sys.argv) > 2:
    height = int(sys.argv[3]) if len(sys.argv) > 3 else 2200
    shoot(pathlib.Path(sys.argv[2]).resolve().as_uri(), sys.argv[1], 1180, height)
else:
    text = sys.stdin.read()
    lines = text.split("\n")
    columns = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "screen.html"
        page.write_text(to_html(text.rstrip("\n")))
        shoot(page.as_uri(), sys.argv[1], int(columns * 8.45) + 40, len(text.rstrip("\n").split("\n")) * 19 + 30)
