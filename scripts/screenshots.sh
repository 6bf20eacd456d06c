#!/usr/bin/env bash
# Takes the pictures of the dashboard in docs/ again, from simulated rounds: light, dark and a phone.
#
#   scripts/screenshots.sh [DIRECTORY]
#
# Needs chromium and chromedriver (Debian: chromium, chromium-driver) and curl. The rounds are those of
# `collector --source demo` with a fixed seed, so two runs show nearly the same page.
# CARGO_TARGET_DIR, AVIATOR_BUILD_PROFILE        where and how to build (default release)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

out=${1:-$root/docs}
for tool in chromium chromedriver curl; do
  command -v "$tool" >/dev/null || { echo "$tool is missing; install chromium, chromium-driver and curl" >&2; exit 1; }
done

# shellcheck source=scripts/lib/parallel.sh
. "$root/scripts/lib/parallel.sh"
build_programs

work=$(mktemp -d)
started=()
stop_all() {
  [ "${#started[@]}" = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop_all EXIT

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local limit=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || { echo "gave up waiting for: $*" >&2; exit 1; }
    sleep 0.2
  done
}

# A directory of rounds, and a predictor on it that has scored forecasts for some of them.
mkdir "$work/data"
"$predictor" --data-dir "$work/data" --listen 127.0.0.1:0 --log-format pretty 2>"$work/predictor.log" &
started+=($!)
wait_for 20 grep -q 'http://127' "$work/predictor.log"
page=$(sed -n 's|.*\(http://127[0-9.:]*\).*|\1|p' "$work/predictor.log" | head -n 1)
"$collector" --source demo --data-dir "$work/data" --seed 7 --history 200 --pace 0.25 >"$work/collector.log" 2>&1 &
started+=($!)
has_enough() { curl -sf "$page/api/status" | grep -Eq '"csv_records":(3[2-9][0-9]|[4-9][0-9][0-9])'; }
wait_for 180 has_enough

chromedriver --port=0 >"$work/driver.log" 2>&1 &
started+=($!)
wait_for 20 grep -q 'on port' "$work/driver.log"
driver=http://127.0.0.1:$(sed -n 's/.*on port \([0-9]*\)\.*$/\1/p' "$work/driver.log" | tail -n 1)

ask() { curl -sf -H 'Content-Type: application/json' "$driver/session$1" -d "$2"; }

# picture NAME WIDTH HEIGHT THEME SCALE
picture() {
  local options session
  options='"args":["--headless","--no-sandbox","--disable-gpu","--hide-scrollbars","--lang=en-US"],
    "mobileEmulation":{"deviceMetrics":{"width":'$2',"height":'$3',"pixelRatio":'$5',"mobile":false,"touch":false}}'
  session=$(ask '' '{"capabilities":{"alwaysMatch":{"goog:chromeOptions":{'"$options"'}}}}' |
    sed -n 's/.*"sessionId":"\([^"]*\)".*/\1/p')
  ask "/$session/url" '{"url":"'"$page/?theme=$4"'"}' >/dev/null
  wait_for 20 is_drawn "$session"
  curl -sf "$driver/session/$session/screenshot" | sed 's/.*"value":"\([^"]*\)".*/\1/' | base64 -d >"$out/$1.png"
  curl -sf -X DELETE "$driver/session/$session" >/dev/null
  echo "$out/$1.png"
}

is_drawn() {
  ask "/$1/execute/sync" '{"script":"return document.querySelector(\"#history tbody tr\") !== null","args":[]}' |
    grep -q true
}

picture dashboard-light 1280 1600 light 1
picture dashboard-dark 1280 1600 dark 1
picture dashboard-phone 390 844 light 2
