#!/usr/bin/env bash
# Tests the Grafana dashboard and the alerts: promtool accepts every rule and every expression of the dashboard, the
# alerts fire when they should, and a running collector and predictor export every metric that they name.
#
# AVIATOR_BIN   directory of the two programs (default: built into the target directory)
# PROMTOOL      promtool (default: the one in the PATH, else the one extracted from Debian's package)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${AVIATOR_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug}
[ -n "${AVIATOR_BIN:-}" ] ||
  (cd "$root" && cargo build --quiet --locked --workspace --bin collector --bin predictor)
cd "$root/scripts/ops/monitoring"
work=$(mktemp -d)
programs=()
clean() {
  for program in ${programs[@]+"${programs[@]}"}; do
    kill "$program" 2>/dev/null || true
    wait "$program" || true
  done
  rm -rf "$work"
}
trap clean EXIT

fresh_lists() { if [ "$(id -u)" -eq 0 ]; then apt-get update -q; else sudo apt-get update -q; fi; }
find_promtool() {
  promtool=${PROMTOOL:-$(command -v promtool || true)}
  [ -z "$promtool" ] || return 0
  echo "Extracting promtool from Debian's package ..."
  # apt-get downloads as an unprivileged user, which needs access to this directory.
  chmod 755 "$work"
  (cd "$work" && { apt-get download -q prometheus 2>/dev/null || { fresh_lists && apt-get download -q prometheus; } })
  dpkg-deb -x "$work"/prometheus_*.deb "$work/prometheus"
  promtool=$work/prometheus/usr/bin/promtool
}

# Prints each expression of the dashboard as a rule, with Grafana's variables filled in.
expressions() {
  echo "groups: [{ name: dashboard, rules: ["
  sed -n 's/^ *"expr": "\(.*\)",\{0,1\}$/\1/p' dashboard.json | sed 's/\\"/"/g; s/[$]instance/.*/g' |
    awk "{ printf \"  { record: 'panel:%d', expr: '%s' },\\n\", NR, \$0 }"
  echo "] }]"
}

wait_for() { # FILE PATTERN: waits for the first match and prints it
  local tries=0
  until grep -om1 "$2" "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$1" >&2; echo "the pattern never appeared: $2" >&2; return 1; }
    sleep 0.2
  done
}

start_programs() {
  "$bin/collector" --data-dir "$work/data" --quiet --history 200 --pace 0.05 --seed 1 \
    --metrics-listen 127.0.0.1:0 --log-format json 2>"$work/collector.log" &
  programs+=($!)
  "$bin/predictor" --data-dir "$work/data" --listen 127.0.0.1:0 --log-format json 2>"$work/predictor.log" &
  programs+=($!)
  collector=$(wait_for "$work/collector.log" 'http://[0-9.:]*')
  predictor=$(wait_for "$work/predictor.log" 'http://[0-9.:]*')
}

# Lists the exported names, including those of the parts of histograms.
exported() {
  curl -sSf "$collector/metrics" >"$work/collector.metrics"
  curl -sSf "$predictor/metrics" >"$work/predictor.metrics"
  sed -n 's/^\([a-z_]*\)[{ ].*/\1/p' "$work"/*.metrics | sort -u >"$work/exported"
}

# Some metrics appear only after forecasts have been scored, so this polls.
check_names() {
  grep -oh 'aviator_[a-z_]*\|process_[a-z_]*' dashboard.json alerts.yml | sort -u >"$work/named"
  local tries=0
  while :; do
    exported
    missing=$(comm -23 "$work/named" "$work/exported")
    [ -n "$missing" ] || break
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { printf 'named but not exported:\n%s\n' "$missing" >&2; return 1; }
    sleep 0.5
  done
  for program in collector predictor; do "$promtool" check metrics <"$work/$program.metrics"; done
  echo "$(wc -l <"$work/named") metrics are named, $(wc -l <"$work/exported") exported"
}

find_promtool
"$promtool" check rules alerts.yml
"$promtool" test rules alerts_test.yml
"$promtool" check config prometheus.yml >/dev/null
expressions >"$work/dashboard.yml"
"$promtool" check rules "$work/dashboard.yml"
start_programs
check_names
