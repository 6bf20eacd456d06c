#!/usr/bin/env bash
# Measures the dashboard in a real browser: what a first visit transfers, the time to first paint, the longest task,
# and the time from a row in the file to the page that shows it.
#
#   scripts/dev/measure_page.sh [ROUNDS]              default 100000
#
# Needs chromium and chromedriver (Debian: chromium, chromium-driver) and curl.
# CARGO_TARGET_DIR, AVIATOR_BUILD_PROFILE      where and how to build (default release)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

count=${1:-100000}
rows=20
# shellcheck source=scripts/lib/parallel.sh
. "$root/scripts/lib/parallel.sh"
# shellcheck source=scripts/lib/browser.sh
. "$root/scripts/lib/browser.sh"
need_browser
build_programs
begin_work

# lines FROM TO: prints rounds under the house law 0.97/x, 20 s apart, the same in every run.
lines() {
  awk -v from="$1" -v to="$2" 'BEGIN {
    srand(from)
    for (i = from; i <= to; i++) {
      s = 20 * i; m = int(97 / (1 - rand())) / 100; if (m < 1) m = 1
      printf "2026-%02d-%02dT%02d:%02d:%02d.000Z,%.2f\n", 1 + int(s / 86400 / 28), 1 + int(s / 86400) % 28, int(s / 3600) % 24, int(s / 60) % 60, s % 60, m
    }
  }'
}

mkdir "$work/data"
file=$work/data/aviator_payouts_20260101_000000.csv
{ echo timestamp,multiplier; lines 1 "$count"; } >"$file"
start_predictor "$work/data" --auto-train false
has_all() { curl -sf "$page/api/status" | grep -q "\"csv_records\":$count,"; }
wait_for 300 has_all
start_driver
open_browser 1280 900 1

# figures NAME: measures one visit and prints its figures. The first visit has an empty cache.
figures() {
  open_page "$page/"
  wait_for 30 holds "Number(document.getElementById('plot').dataset.points) === Math.min(200, $count)"
  value "new PerformanceObserver((list) => { window.tasks = (window.tasks ?? []).concat(list.getEntries().map((it) => it.duration)); }).observe({ type: 'longtask', buffered: true })" >/dev/null
  value "document.querySelector('#range input[value=all]').click()" >/dev/null
  wait_for 30 holds "Number(document.getElementById('plot').dataset.points) > 200 || $count <= 200"
  local section
  for section in scorecard law-plot recorder-plot; do
    value "document.getElementById('$section').scrollIntoView()" >/dev/null
    sleep 0.5
  done
  value "scrollTo(0, 0)" >/dev/null
  echo "$1"
  echo "  first paint, first contentful paint: $(value "performance.getEntriesByType('paint').map((it) => Math.round(it.startTime) + ' ms').join(', ')")"
  echo "  points drawn of all rounds:          $(value "document.getElementById('plot').dataset.points")"
  echo "  longest task:                        $(value "Math.round(Math.max(0, ...(window.tasks ?? []))) + ' ms, ' + (window.tasks ?? []).length + ' over 50 ms'")"
}

echo "$count rounds, window 1280 x 900"
figures "first visit"
assets="performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).filter((it) => !it.name.includes('/api/'))"
echo "  requests of the page:                $(value "$assets.length")"
echo "  compressed, as it travels:           $(value "Math.round($assets.reduce((sum, it) => sum + it.encodedBodySize, 0) / 100) / 10 + ' kB'")"
echo "  status, compressed:                  $(value "Math.round(performance.getEntriesByType('resource').find((it) => it.name.endsWith('/status')).encodedBodySize / 100) / 10 + ' kB'")"
figures "second visit"

# Measures from the row in the file to the end of the frame that shows it, with the clock of this machine.
wait_for 30 holds "document.getElementById('live-mode').textContent === 'live'"
value "new MutationObserver(() => { requestAnimationFrame(() => setTimeout(() => { window.seen = (window.seen ?? []).concat(Date.now()); })); }).observe(document.getElementById('stats-rounds'), { childList: true, characterData: true, subtree: true })" >/dev/null
took=()
for ((row = 1; row <= rows; row++)); do
  lines $((count + row)) $((count + row)) >>"$file"
  written=$(date +%s%3N)
  wait_for 30 holds "(window.seen ?? []).length >= $row"
  seen=$(value "window.seen[$row - 1]")
  took+=($((seen - written)))
done
close_browser
printf '%s\n' "${took[@]}" | sort -n | awk -v n="$rows" '
  { t[NR] = $1 }
  END { printf "from row to pixel, %d rows:             median %d ms, longest %d ms\n", n, t[int((NR + 1) / 2)], t[NR] }'
