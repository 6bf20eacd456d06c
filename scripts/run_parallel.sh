#!/usr/bin/env bash
# Runs the collector and the predictor in this terminal and supervises them: prefixes their lines, restarts a program
# that fails a limited number of times, and stops both on Ctrl-C.
#
#   scripts/run_parallel.sh [collector flags]
#
# AVIATOR_RESTARTS=5   how often each program may be restarted
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

# A program's output goes through a pipe to a process that prefixes each line with the program's name. `exec` makes
# the pid of the job the pid of the program. `set -m` gives it a process group of its own, which Ctrl-C does not reach: it
# gets one signal, from `stop`, because a second one would end it at once.
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
  # To the bash of macOS an empty array is unset.
  set -m
  (exec "$collector" --data-dir "$data_dir" ${collector_flags[@]+"${collector_flags[@]}"}) >"$pipes/collector" 2>&1 &
  collector_pid=$!
  set +m
}
start_predictor() {
  open_pipe predictor
  set -m
  (exec "$predictor" --data-dir "$data_dir" --listen "$listen") >"$pipes/predictor" 2>&1 &
  predictor_pid=$!
  set +m
}
# Ctrl-C reaches the prefixers, which must outlive the last line of their program.
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

# The programs see a pipe and not a terminal, but a person reads their output.
export AVIATOR_LOG_FORMAT=${AVIATOR_LOG_FORMAT:-pretty}

build_programs || exit 1
choose_data_dir "$@"
announce
start_predictor
start_collector

collector_restarts=0
predictor_restarts=0
exit_code=0

# done_for_good NAME CODE: reports whether a program that exited with CODE must not be restarted.
done_for_good() {
  case "$2" in
    0) echo "$1 has finished"; return 0 ;;
    2) echo "$1 rejected its options or configuration (see its message above); not restarting it" >&2; exit_code=2; return 0 ;;
    3) echo "another collector is recording into $data_dir; not restarting it" >&2; exit_code=3; return 0 ;;
  esac
  return 1
}

# may_restart NAME CODE COUNT: prints the exit and reports whether one more restart is allowed.
may_restart() {
  if [ "$3" -ge "$restarts_max" ]; then
    echo "$1 exited with code $2 after $3 restarts: giving up" >&2
    exit_code=1
    return 1
  fi
  echo "$1 exited with code $2: restarting it ($(($3 + 1)) of $restarts_max)" >&2
}

# collector_ended, predictor_ended: reacts to a program that has exited.
collector_ended() {
  wait "$collector_pid"
  local code=$?
  collector_pid=0
  if done_for_good collector "$code"; then
    # The dashboard keeps showing the recorded rounds, unless the collector failed to start.
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

# The bash of macOS has no `wait -n -p`, so this polls once a second.
while [ "$stopping" -eq 0 ]; do
  sleep 1 &
  wait $!
  [ "$stopping" -eq 0 ] || break
  if is_gone "$collector_pid"; then collector_ended; fi
  if [ "$stopping" -eq 0 ] && is_gone "$predictor_pid"; then predictor_ended; fi
done

# Both stop within a second or two; wait for them, so that none is orphaned.
for pid in "$collector_pid" "$predictor_pid"; do
  [ "$pid" -eq 0 ] || while kill -0 "$pid" 2>/dev/null; do wait "$pid" 2>/dev/null; done
done
# Print their last lines before the prompt returns.
for pid in "${prefixers[@]}"; do wait "$pid"; done
exit "$exit_code"
