#!/usr/bin/env bash
# Sends a running predictor requests that docs/openapi.json allows and many that it forbids, and compares each response
# with the document. Creates a virtual environment under target/.
#
#   scripts/tests/schemathesis.sh [OPTION OF schemathesis run]...
#
# EXAMPLES=30   examples per operation
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
version=4.32.5

venv=$target/schemathesis-$version
[ -x "$venv/bin/schemathesis" ] || {
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q "schemathesis==$version"
}
cargo build -q --locked --workspace --bin predictor

work=$(mktemp -d)
predictor=
trap '[ -z "$predictor" ] || kill "$predictor" 2>/dev/null || true; rm -rf "$work"' EXIT

# Test data: 400 rounds, an unreadable line, and an event of a collector.
name=$work/data/aviator_payouts_20260101_000000
mkdir "$work/data"
awk 'BEGIN { srand(7); print "timestamp,multiplier"; for (i = 0; i < 400; i++)
  printf "2026-01-01T%02d:%02d:%02dZ,%.2f\n", i / 120, i / 2 % 60, i % 2 * 30, 0.97 / (1 - 0.97 * rand()) + 0.03 }' >"$name.csv"
echo "not a round" >>"$name.csv"
echo '{"seq":1,"unix_ms":1767225600000,"kind":"gap","source":"demo","detail":{"after":"5 s"}}' >"$name.events.jsonl"

"$target/debug/predictor" --data-dir "$work/data" --listen 127.0.0.1:0 --log-format json 2>"$work/log" &
predictor=$!
url=
for _ in $(seq 100); do
  url=$(sed -n 's/.*"The dashboard is ready.*"url":"\(http:[^"]*\)".*/\1/p' "$work/log")
  [ -z "$url" ] || break
  sleep 0.1
done
[ -n "$url" ] || { cat "$work/log" >&2; exit 1; }
for _ in $(seq 600); do
  curl -fs "$url/readyz" >/dev/null && break
  sleep 0.1
done

# The event stream never ends, so it cannot be compared with the document.
cd "$work"
"$venv/bin/schemathesis" run "$root/docs/openapi.json" --url "$url" \
  --exclude-path /api/events --max-examples "${EXAMPLES:-30}" --seed 1 --request-timeout 60 --no-color "$@"
