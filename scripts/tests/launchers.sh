#!/usr/bin/env bash
# Tests the launchers: runs the supervisor with stub programs, and checks the text of the Windows scripts, which cannot
# run here.
set -euo pipefail
# The stubs replace the real programs.
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

# stub_project: creates a folder like the project's, with programs that print their arguments and then run the scripts
# $work/collector.does and $work/predictor.does, and with a cargo that builds nothing.
stub_project() {
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

run() { # ARGUMENTS...: writes what run_parallel.sh prints to $work/out, with its exit code on the last line
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
stub_project; run --source nonsense
check "a usage error is not retried and stops both" says "exit 2"
check "the predictor is stopped, not orphaned" says "predictor | stopped"
check "flags reach the collector" says "--source nonsense"

echo 'exit 3' >"$work/collector.does"
stub_project; run
check "a directory in use exits with 3" says "exit 3"
check "simulated rounds go to their own directory" says "data/demo"
stub_project; run --pattern memory
check "rounds with a pattern go to another one" says "data/demo-memory --pattern memory"
stub_project; run --pattern=none
check "no pattern is the usual directory" says "data/demo --pattern=none"

echo 'exit 7' >"$work/collector.does"
stub_project; restarts=2 run
check "a program that fails is restarted as often as allowed" says_times 3 "collector called with"
check "after that the supervisor gives up" says "giving up"
check "giving up is a failure" says "exit 1"

echo 'exit 0' >"$work/collector.does"; echo 'sleep 2; exit 0' >"$work/predictor.does"
stub_project; run --data-dir "my rounds"
check "a directory with a space reaches the collector once" says_line "collector | collector called with --data-dir $work/my rounds"
check "a directory with a space reaches the predictor" says "predictor called with --data-dir $work/my rounds --listen"
check "the predictor keeps running when the collector has finished" says "collector has finished"
check "the supervisor succeeds when both have finished" says "exit 0"

# A signal stops both and leaves no orphan.
echo "$live" >"$work/collector.does"; echo "$live" >"$work/predictor.does"
stub_project
interrupted() {
  : >"$work/out" # Discard the output of the earlier run.
  env PATH="$work/bin:$PATH" bash "$work/project/scripts/run_parallel.sh" >"$work/out" 2>&1 &
  local pid=$!
  until says "collector called" && says "predictor called"; do sleep 0.1; done
  kill -TERM "$pid"
  wait "$pid"
  says "collector | stopped" && says "predictor | stopped" && ! pgrep -f "$work/project/target" >/dev/null
}
check "a signal stops both and leaves no orphan" interrupted

# The terminal sends Ctrl-C to the whole process group of the supervisor. A program in that group would get a second
# signal, from the supervisor, and end at once.
# shellcheck disable=SC2016 # The programs expand it.
grouped='trap "echo stopped; exit 0" TERM; echo "group $(ps -o pgid= -p $$ | tr -d " ")."; while :; do sleep 0.1; done'
echo "$grouped" >"$work/collector.does"; echo "$grouped" >"$work/predictor.does"
stub_project
# A shell that was started in the background ignores SIGINT, and so do its children unless it is set back.
reset=(env)
if env --default-signal=INT true 2>/dev/null; then reset=(env --default-signal=INT); fi
after_ctrl_c() {
  : >"$work/out"
  set -m
  "${reset[@]}" PATH="$work/bin:$PATH" bash "$work/project/scripts/run_parallel.sh" >"$work/out" 2>&1 &
  local pid=$!
  set +m
  until says_times 2 "group "; do sleep 0.1; done
  kill -INT -- "-$pid"
  wait "$pid"
  says_times 2 "group " && ! says "group $pid." && says_times 2 "| stopped"
}
check "Ctrl-C does not reach the programs, which the supervisor stops" after_ctrl_c

# The text of the Windows scripts.
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
check "the .bat opens two windows with titles" two_windows "$bat"
check "the .bat stays open when it fails" grep -q '^pause' "$bat"
balanced() { [ "$(tr -cd '"' <"$1" | wc -c)" -gt 0 ] && ! grep -nvE '^[^"]*("[^"]*"[^"]*)*\r?$' "$1" | grep -vF 'cmd /k ""'; }
check "the quotes of the .bat are balanced" balanced "$bat"

echo
echo "launchers: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
