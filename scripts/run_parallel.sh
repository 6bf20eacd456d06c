#!/usr/bin/env bash
# Runs the collector and the predictor in this terminal, supervised: their lines are prefixed, a program
# that dies is named and started again a limited number of times, and Ctrl-C stops both and leaves no orphan.
#
#   scripts/run_parallel.sh [collector flags]
#
# AVIATOR_RESTARTS=5   restarts allowed for each program
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

# shellcheck source=scripts/lib/parallel.sh
. "$root/scripts/lib/parallel.sh"

restarts_max=${AVIATOR_RESTARTS:-5}
stopping=0
collector_pid=0
predictor_pid=0

# The lines of a program go through a pipe to a process that puts its name before them. `exec` keeps the
# program's own pid as the job's pid.
pipes=$(mktemp -d)
trap 'rm -rf "$pipes"' EXIT
prefixers=()
open_pipe() {
  rm -f "$pipes/$1"
  mkfifo "$pipes/$1"
  prefix "$1" <"$pipes/$1" &
  prefixers+=($!)
}
start_collector() {
  open_pipe collector
  # An empty array is unset to the bash that macOS ships.
  (exec "$collector" --data-dir "$data_dir" ${collector_flags[@]+"${collector_flags[@]}"}) >"$pipes/collector" 2>&1 &
  collector_pid=$!
}
start_predictor() {
  open_pipe predictor
  (exec "$predictor" --data-dir "$data_dir" --listen "$listen") >"$pipes/predictor" 2>&1 &
  predictor_pid=$!
}
# Ctrl-C reaches every process of the terminal; the prefixers live on until their program has said its last line.
prefix() {
  trap '' INT TERM
  while IFS= read -r line || [ -n "$line" ]; do printf '%-9s | %s\n' "$1" "$line"; done
}

stop() {
  stopping=1
  for pid in "$collector_pid" "$predictor_pid"; do
    [ "$pid" -eq 0 ] || kill -TERM "$pid" 2>/dev/null
  done
}
trap stop INT TERM HUP

# Behind a prefix there is no terminal to notice, but a person reads it all the same.
export AVIATOR_LOG_FORMAT=${AVIATOR_LOG_FORMAT:-pretty}

build_programs || exit 1
choose_data_dir "$@"
announce
start_predictor
start_collector

collector_restarts=0
predictor_restarts=0
exit_code=0

# done_for_good NAME CODE: whether a program that ended with CODE must not be started again.
done_for_good() {
  case "$2" in
    0) echo "$1 has finished"; return 0 ;;
    2) echo "$1 was called wrongly (see its message above); not starting it again" >&2; exit_code=2; return 0 ;;
    3) echo "another collector holds $data_dir; not starting it again" >&2; exit_code=3; return 0 ;;
  esac
  return 1
}

# may_restart NAME CODE COUNT: says what happened and whether one more start is allowed.
may_restart() {
  if [ "$3" -ge "$restarts_max" ]; then
    echo "$1 ended with code $2 and was restarted $3 times already: giving up" >&2
    exit_code=1
    return 1
  fi
  echo "$1 ended with code $2: starting it again ($(($3 + 1)) of $restarts_max)" >&2
}

# collector_ended, predictor_ended: what to do about a program that is no longer there.
collector_ended() {
  wait "$collector_pid"
  local code=$?
  collector_pid=0
  if done_for_good collector "$code"; then
    # Recorded rounds stay worth looking at: the dashboard goes on unless the call was wrong.
    [ "$code" -eq 0 ] || stop
  elif may_restart collector "$code" "$collector_restarts"; then
    collector_restarts=$((collector_restarts + 1))
    start_collector
  else
    stop
  fi
}
predictor_ended() {
  wait "$predictor_pid"
  local code=$?
  predictor_pid=0
  if ! done_for_good predictor "$code" && may_restart predictor "$code" "$predictor_restarts"; then
    predictor_restarts=$((predictor_restarts + 1))
    start_predictor
  else
    stop
  fi
}
is_gone() { [ "$1" -ne 0 ] && ! kill -0 "$1" 2>/dev/null; }

# `wait -n` would be exact, but the bash that macOS ships has no `-p`; a look every second does.
while [ "$stopping" -eq 0 ]; do
  sleep 1 &
  wait $!
  [ "$stopping" -eq 0 ] || break
  if is_gone "$collector_pid"; then collector_ended; fi
  if [ "$stopping" -eq 0 ] && is_gone "$predictor_pid"; then predictor_ended; fi
done

# Both stop within a second or two; what has not ended by then is waited for, never orphaned.
for pid in "$collector_pid" "$predictor_pid"; do
  [ "$pid" -eq 0 ] || while kill -0 "$pid" 2>/dev/null; do wait "$pid" 2>/dev/null; done
done
# Their last lines come before the prompt.
for pid in "${prefixers[@]}"; do wait "$pid"; done
exit "$exit_code"
