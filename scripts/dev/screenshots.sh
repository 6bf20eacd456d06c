#!/usr/bin/env bash
# Retakes the screenshots of the dashboard in docs/images/ from simulated rounds: desktop and phone, light and dark.
#
#   scripts/dev/screenshots.sh [DIRECTORY]
#
# Needs chromium and chromedriver (Debian: chromium, chromium-driver) and curl. The rounds are those of
# `collector --source demo` with a fixed seed, so two runs show nearly the same page.
# CARGO_TARGET_DIR, AVIATOR_BUILD_PROFILE      where and how to build (default release)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

out=${1:-$root/docs/images}
# shellcheck source=scripts/lib/parallel.sh
. "$root/scripts/lib/parallel.sh"
# shellcheck source=scripts/lib/browser.sh
. "$root/scripts/lib/browser.sh"
need_browser
build_programs
begin_work

# Start a predictor and wait until it has scored forecasts for some of its rounds.
mkdir "$work/data"
start_predictor "$work/data"
start_program collector "$collector" --source demo --data-dir "$work/data" --seed 7 --history 200 --pace 0.25
has_enough() { curl -sf "$page/api/status" | grep -Eq '"csv_records":(3[6-9][0-9]|[4-9][0-9][0-9])'; }
wait_for 240 has_enough
start_driver

# shot NAME WIDTH HEIGHT THEME SCALE [SECTION]: takes a screenshot of the top of the page, or of a section.
shot() {
  open_browser "$2" "$3" "$5"
  open_page "$page/?theme=$4"
  wait_for 30 holds "document.querySelector('#history tbody tr') !== null"
  if [ -n "${6:-}" ]; then
    value "document.getElementById('$6').scrollIntoView()" >/dev/null
    wait_for 30 holds "document.querySelector('#$6-plot, #$6 .plot')?.querySelector('canvas') != null"
  fi
  picture "$out/$1.png"
  close_browser
}

shot dashboard-light 1280 1600 light 1
shot dashboard-dark 1280 1600 dark 1
shot dashboard-phone-light 390 844 light 2
shot dashboard-phone-dark 390 844 dark 2
shot dashboard-scores 1280 1060 light 1 scorecard
shot dashboard-bets 1280 700 light 1 simulation
