#!/usr/bin/env bash
# Tests of the launchers: the supervisor with stand-in programs, and the Windows scripts by rule, since
# nothing here can run them.
set -euo pipefail
# The stand-ins are where a user's programs are.
unset CARGO_TARGET_DIR
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
  fi
}

# A folder like the project's with programs that only say how they were called, and a cargo that builds nothing.
# Each stand-in's behaviour is the text of $work/collector.does and $work/predictor.does.
stand_in() {
  rm -rf "$work/project"
  mkdir -p "$work/project/scripts" "$work/project/target/release" "$work/bin"
  cp -r "$root/scripts/." "$work/project/scripts/"
  printf '#!/bin/sh\nexit 0\n' >"$work/bin/cargo"
  for name in collector predictor; do
    cat >"$work/project/target/release/$name" <<PROGRAM
#!/usr/bin/env bash
echo "$name called with \$*"
$(cat "$work/$name.does")
PROGRAM
  done
  chmod +x "$work/bin/cargo" "$work/project/target/release/"*
}

run() { # ARGUMENTS... : what run_parallel.sh prints and its exit code on the last line
  local code=0
  (cd "$work" && env -u CARGO_TARGET_DIR -u AVIATOR_DATA_DIR -u AVIATOR_SOURCE -u AVIATOR_LISTEN -u AVIATOR_BUILD_PROFILE \
    PATH="$work/bin:$PATH" AVIATOR_RESTARTS="${restarts:-1}" \
    bash "$work/project/scripts/run_parallel.sh" "$@") >"$work/out" 2>&1 || code=$?
  echo "exit $code" >>"$work/out"
}
says() { grep -qF -- "$1" "$work/out"; }
says_line() { grep -qxF -- "$1" "$work/out"; }
says_times() { [ "$(grep -cF -- "$2" "$work/out")" -eq "$1" ]; }

live='trap "echo stopped; exit 0" TERM; while :; do sleep 0.1; done'

echo 'exit 2' >"$work/collector.does"; echo "$live" >"$work/predictor.does"
stand_in; run --source nonsense
check "wrong usage is not restarted and ends both" says "exit 2"
check "the predictor is stopped, not orphaned" says "predictor | stopped"
check "what the collector is given reaches it" says "--source nonsense"

echo 'exit 3' >"$work/collector.does"
stand_in; run
check "a held directory ends with 3" says "exit 3"
check "simulated rounds have a directory of their own" says "data/demo"

echo 'exit 7' >"$work/collector.does"
stand_in; restarts=2 run
check "a program that dies is restarted as often as allowed" says_times 3 "collector called with"
check "and then given up" says "giving up"
check "with a failure" says "exit 1"

echo 'exit 0' >"$work/collector.does"; echo 'sleep 2; exit 0' >"$work/predictor.does"
stand_in; run --data-dir "my rounds"
check "a directory with a space reaches the collector, once" says_line "collector | collector called with --data-dir $work/my rounds"
check "and the predictor" says "predictor called with --data-dir $work/my rounds --listen"
check "a collector that is done leaves the dashboard on" says "collector has finished"
check "both done is success" says "exit 0"

# An interrupt ends both and leaves no orphan.
echo "$live" >"$work/collector.does"; echo "$live" >"$work/predictor.does"
stand_in
interrupted() {
  : >"$work/out" # What an earlier run said is not this one's.
  env PATH="$work/bin:$PATH" bash "$work/project/scripts/run_parallel.sh" >"$work/out" 2>&1 &
  local pid=$!
  until says "collector called" && says "predictor called"; do sleep 0.1; done
  kill -TERM "$pid"
  wait "$pid"
  says "collector | stopped" && says "predictor | stopped" && ! pgrep -f "$work/project/target" >/dev/null
}
check "a stop reaches both and leaves no orphan" interrupted

# The Windows scripts, by rule.
bat="$root/scripts/start_parallel.bat"
ps1="$root/scripts/run_parallel.ps1"
ascii() { ! LC_ALL=C grep -q '[^[:print:][:space:]]' "$1"; }
crlf() { [ "$(grep -c $'\r$' "$1")" -eq "$(grep -c '' "$1")" ]; }
check "the .bat has CRLF line ends" crlf "$bat"
check "the .ps1 has CRLF line ends" crlf "$ps1"
check "the .bat is ASCII" ascii "$bat"
check "the .ps1 is ASCII" ascii "$ps1"
check "the .bat works from any folder" grep -qF 'pushd "%~dp0..' "$bat"
two_windows() { [ "$(grep -c '^start "aviator ' "$1")" -eq 2 ]; }
check "the .bat opens two titled windows" two_windows "$bat"
check "the .bat stays open when it fails" grep -q '^pause' "$bat"
balanced() { [ "$(tr -cd '"' <"$1" | wc -c)" -gt 0 ] && ! grep -nvE '^[^"]*("[^"]*"[^"]*)*\r?$' "$1" | grep -vF 'cmd /k ""'; }
check "quotes of the .bat are in pairs" balanced "$bat"

echo
echo "launchers: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
