#!/usr/bin/env bash
# Tests a full disk: the collector replays a recording onto a disk of 64 kB, reports the full disk (in its log, in
# status.json, in its metrics and at /readyz), resumes within two seconds once there is space, and loses, merges and
# duplicates no row. Needs to mount: root, sudo without a password, or user namespaces. Otherwise it prints SKIPPED and
# exits with 77.
#
# COLLECTOR   the program (default: built into the target directory)
set -euo pipefail

if [ "${1:-}" != inside ]; then
  cd "$(dirname "$0")/../.."
  program=${COLLECTOR:-${CARGO_TARGET_DIR:-target}/debug/collector}
  [ -n "${COLLECTOR:-}" ] || cargo build --quiet --locked --workspace --bin collector
  apart=()
  mounts() { "$@" mount -t tmpfs -o size=64k tmpfs /mnt 2>/dev/null; }
  if mounts unshare -m; then
    apart=(unshare -m)
  elif mounts unshare -rm; then
    apart=(unshare -rm)
  elif mounts sudo -n unshare -m; then
    apart=(sudo -n unshare -m)
  else
    echo "SKIPPED: full disk: a file system of 64 kB needs root, sudo or user namespaces (unshare -m)" >&2
    exit 77
  fi
  exec "${apart[@]}" bash "$0" inside "$(realpath "$program")"
fi

program=$2
work=$(mktemp -d)
collector=
trap '[ -z "$collector" ] || { kill -KILL "$collector"; wait "$collector" || true; } 2>/dev/null; umount "$work/disk" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/disk"
mount -t tmpfs -o size=64k tmpfs "$work/disk"
data=$work/disk

fail() {
  echo "full disk: $1" >&2
  cat "$data/status.json" >&2 || true
  tail -n 5 "$work/log" >&2 || true
  exit 1
}
state() { sed -n 's/.*"state": *"\([a-z_]*\)".*/\1/p' "$data/status.json" 2>/dev/null | head -n 1; }
written() { sed -n 's/.*"rounds_written": *\([0-9]*\).*/\1/p' "$data/status.json" 2>/dev/null | head -n 1; }
now() { date +%s%3N; }

# await MILLISECONDS COMMAND...: waits until the command succeeds.
await() {
  local until=$(($(now) + $1))
  shift
  until "$@"; do
    [ "$(now)" -lt "$until" ] || return 1
    sleep 0.02
  done
}
# ask PATH: prints the answer of the collector's HTTP server to GET PATH.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  cat <&3
  exec 3>&-
}
is_refused() { [ "$(state)" = writing_failed ]; }
is_writing() { [ "$(state)" = connected ]; }

# All rows differ, so that a lost, merged or duplicated one is found.
awk 'BEGIN {
  print "timestamp,multiplier"
  for (i = 0; i < 5000; i++)
    printf "2026-01-01T%02d:%02d:%02d.000Z,%d.%02d\n", int(i / 3600), int(i / 60) % 60, i % 60, 1 + int(i / 100), i % 100
}' >"$work/played.csv"
head -c 32768 /dev/zero >"$data/other-file"
"$program" --source replay --file "$work/played.csv" --pace 0.02 --fsync row --quiet --data-dir "$data" \
  --metrics-listen 127.0.0.1:0 2>"$work/log" &
collector=$!
is_listening() { port=$(sed -n 's|.*"url":"http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$work/log") && [ -n "$port" ]; }
await 10000 is_listening || fail "the collector does not print the address of its metrics"

await 60000 is_refused || fail "the collector never reports the full disk"
before=$(written)
for file in "$data"/*.csv "$data"/*.events.jsonl; do
  [ -z "$(tail -c 1 "$file")" ] || fail "$file ends within a line"
done
grep -q 'The disk rejects a round' "$work/log" || fail "the log does not report the full disk"
ready=$(ask /readyz)
[[ $ready == "HTTP/1.1 503 "*writing_failed* ]] || fail "/readyz returns $ready"
metrics=$(ask /metrics)
[[ $metrics == *'aviator_collector_state{table="default",state="writing_failed"} 1'* ]] || fail "the metrics do not report the full disk"
# More rounds end in the meantime.
sleep 1
is_refused || fail "the collector reports success on a full disk"

rm "$data/other-file"
freed=$(now)
await 10000 is_writing || fail "the collector does not resume although there is space again"
took=$(($(now) - freed))
[ "$took" -le 2000 ] || fail "the collector took $took ms to resume"
ready=$(ask /readyz)
[[ $ready == "HTTP/1.1 200 "* ]] || fail "/readyz returns $ready"
grep -q 'The disk accepts rounds again' "$work/log" || fail "the log does not report that the collector writes again"
kill -TERM "$collector"
wait "$collector" || fail "the collector exited with $?"
collector=

cat "$data"/*.csv | grep -v '^timestamp,multiplier$' >"$work/written"
rows=$(wc -l <"$work/written")
[ "$rows" -gt "$before" ] || fail "no round was written after the disk was full"
[ "$rows" -eq "$(written)" ] || fail "$rows rows, but status.json counts $(written) rounds"
sed -n "2,$((rows + 1))p" "$work/played.csv" | cmp - "$work/written" || fail "the rows differ from the recording"
events=$(cat "$data"/*.events.jsonl | grep -c '"row":')
[ "$events" -eq "$rows" ] || fail "$rows rows, but $events events of rows"
echo "full disk: $before rounds until it was full, resumed after $took ms, $rows rounds in total, all as recorded"
