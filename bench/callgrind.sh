#!/usr/bin/env bash
# Counts the instructions of one order context and of one decision under callgrind, and compares with callgrind.txt:
# fails when one grew by more than 5 %. `./callgrind.sh --write` keeps the new counts. Needs valgrind.
set -euo pipefail
cd "$(dirname "$0")"
command -v valgrind >/dev/null || { echo 'callgrind.sh: valgrind is missing; apt-get install valgrind' >&2; exit 2; }

target=${CARGO_TARGET_DIR:-target}
cargo build --release --quiet --no-default-features --bin hot-path
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count() { # $1: order or decision. Prints the instructions of one call.
  valgrind --tool=callgrind --callgrind-out-file="$work/$1.out" --collect-atstart=no "--toggle-collect=one_$1" \
    "$target/release/hot-path" "$1" "$work/logs-$1" >"$work/$1.log" 2>&1 || { cat "$work/$1.log" >&2; exit 2; }
  # A thousand calls; all of them are collected.
  awk '/^(totals|summary):/ { n = $2 } END { printf "%d\n", n / 1000 + 0.5 }' "$work/$1.out"
}

order=$(count order)
decision=$(count decision)
if [[ "${1:-}" == --write ]]; then
  printf '# Instructions of one call, counted by callgrind.sh. rustc %s\norder %s\ndecision %s\n' \
    "$(rustc --version | cut -d' ' -f2)" "$order" "$decision" >callgrind.txt
fi
status=0
while read -r name kept; do
  now=${!name}
  growth=$(awk -v a="$kept" -v b="$now" 'BEGIN { printf "%+.1f", (b / a - 1) * 100 }')
  printf '%-9s %5s instructions, was %5s (%s %%)\n' "$name" "$now" "$kept" "$growth"
  awk -v g="$growth" 'BEGIN { exit !(g > 5) }' && { echo "callgrind.sh: $name grew by more than 5 %" >&2; status=1; }
done < <(grep -v '^#' callgrind.txt)
exit $status
