# shellcheck shell=bash
# Shared by screenshots.sh, measure_page.sh and nginx.sh: starts programs that are stopped at the end, and drives a
# headless browser with curl through chromedriver. Sourced after parallel.sh, which sets the paths of the programs; the
# variables set here are used by the script that sources it.
# shellcheck disable=SC2034,SC2154

need_browser() {
  local tool
  for tool in chromium chromedriver curl; do
    command -v "$tool" >/dev/null || { echo "$tool is missing. Install chromium, chromium-driver and curl." >&2; exit 1; }
  done
}

# begin_work: sets $work; when the script ends, the programs of start_program are stopped.
begin_work() {
  work=$(mktemp -d)
  started=()
  session=
  trap end_work EXIT
}

end_work() {
  # A killed driver would leave its browser running.
  [ -z "$session" ] || close_browser || true
  [ "${#started[@]}" = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}

# start_program NAME COMMAND...: runs the command in the background, with its output in $work/NAME.log.
start_program() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  started+=($!)
}

# wait_for SECONDS COMMAND...: waits until the command succeeds.
wait_for() {
  local limit=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$limit" ] || { echo "timed out waiting for: $*" >&2; exit 1; }
    sleep 0.1
  done
}

# start_predictor DIRECTORY FLAG...: starts the predictor and sets $page to its address.
start_predictor() {
  start_program predictor "$predictor" --data-dir "$@" --listen 127.0.0.1:0 --log-format pretty
  wait_for 60 grep -q 'http://127' "$work/predictor.log"
  page=$(sed -n 's|.*\(http://127[0-9.:]*[0-9]\).*|\1|p' "$work/predictor.log" | head -n 1)
}

start_driver() {
  mkdir "$work/scratch"
  start_program driver env TMPDIR="$work/scratch" chromedriver --port=0
  wait_for 20 grep -q 'on port' "$work/driver.log"
  driver=http://127.0.0.1:$(sed -n 's/.*on port \([0-9]*\)\.*$/\1/p' "$work/driver.log" | tail -n 1)
}

ask_driver() { curl -sf -H 'Content-Type: application/json' "$driver/session$1" -d "$2"; }

# open_browser WIDTH HEIGHT SCALE: opens a window and sets $session.
open_browser() {
  local options
  options='"args":["--headless","--no-sandbox","--disable-gpu","--hide-scrollbars","--lang=en-US"],
    "mobileEmulation":{"deviceMetrics":{"width":'$1',"height":'$2',"pixelRatio":'$3',"mobile":false,"touch":false}}'
  session=$(ask_driver '' '{"capabilities":{"alwaysMatch":{"goog:chromeOptions":{'"$options"'}}}}' |
    sed -n 's/.*"sessionId":"\([^"]*\)".*/\1/p')
}

open_page() { ask_driver "/$session/url" '{"url":"'"$1"'"}' >/dev/null; }

close_browser() {
  curl -sf -X DELETE "$driver/session/$session" >/dev/null
  session=
}

# value EXPRESSION: prints the value of a JavaScript expression, a string without its quotes. The expression must not
# contain double quotes.
value() {
  ask_driver "/$session/execute/sync" '{"script":"return ('"$1"');","args":[]}' |
    sed 's/^{"value"://; s/}$//; s/^"\(.*\)"$/\1/'
}

# holds EXPRESSION: reports whether a JavaScript expression is true.
holds() { [ "$(value "$1")" = true ]; }

# picture FILE: takes a screenshot of the window.
picture() {
  curl -sf "$driver/session/$session/screenshot" | sed 's/.*"value":"\([^"]*\)".*/\1/' | base64 -d >"$1"
  echo "$1"
}
