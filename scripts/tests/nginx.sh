#!/usr/bin/env bash
# Tests the dashboard behind a real nginx that serves it below a path, in a real browser: the page loads, shows a new
# row through the event stream, starts a training when its button is clicked, and requests nothing outside its path.
#
#   scripts/tests/nginx.sh
#
# Needs nginx, chromium, chromedriver and curl. Builds with the dev profile unless AVIATOR_BUILD_PROFILE says otherwise.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export AVIATOR_BUILD_PROFILE=${AVIATOR_BUILD_PROFILE:-dev}
# shellcheck source=scripts/lib/parallel.sh
. "$root/scripts/lib/parallel.sh"
# shellcheck source=scripts/lib/browser.sh
. "$root/scripts/lib/browser.sh"
need_browser
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || { echo "nginx is missing. Install nginx." >&2; exit 1; }
build_programs
begin_work

below=/games/aviator/
mkdir "$work/data" "$work/nginx"
file=$work/data/aviator_payouts_20260101_000000.csv

# rows FROM TO: prints rounds FROM to TO as rows.
rows() {
  awk -v from="$1" -v to="$2" 'BEGIN {
    for (i = from; i <= to; i++) {
      m = int(9700 / (i * 37 % 96 + 1)) / 100
      printf "2026-01-01T00:%02d:%02d.000Z,%.2f\n", int(i / 3), i % 3 * 20, m < 1 ? 1 : m
    }
  }'
}

{ echo timestamp,multiplier; rows 1 40; } >"$file"
start_predictor "$work/data"

# nginx does not accept port 0: take the first free port above a base that depends on this process.
port=$((20000 + $$ % 20000))
while (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; do port=$((port + 1)); done
cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
pid $work/nginx/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path $work/nginx/body;
  proxy_temp_path $work/nginx/proxy;
  fastcgi_temp_path $work/nginx/fastcgi;
  uwsgi_temp_path $work/nginx/uwsgi;
  scgi_temp_path $work/nginx/scgi;
  server {
    listen 127.0.0.1:$port;
    location $below {
      proxy_pass $page/;
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
CONF
start_program nginx "$nginx" -p "$work/nginx" -c "$work/nginx/nginx.conf"
wait_for 20 curl -sf "http://127.0.0.1:$port${below}healthz"
start_driver
open_browser 1280 900 1
open_page "http://127.0.0.1:$port$below"

# says ID TEXT: waits until the element contains the text.
says() {
  wait_for 60 holds "document.getElementById('$1').textContent.includes('$2')"
  echo "ok: #$1 contains \"$2\""
}
says for-round '#41'
says live-mode live
rows 41 41 >>"$file"
says for-round '#42'
value "document.getElementById('train').click()" >/dev/null
says feedback 'Trained:'
value "document.getElementById('law-plot').scrollIntoView()" >/dev/null
says law-seen 'all 41 rounds'
strays=$(value "performance.getEntriesByType('resource').map((it) => it.name).filter((it) => !it.includes('$below')).join(' ')")
[ -z "$strays" ] || { echo "requested outside of $below: $strays" >&2; exit 1; }
echo "ok: nothing is requested outside of $below"
close_browser
