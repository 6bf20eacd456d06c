#!/usr/bin/env bash
# Runs every test of the project. Installs Chromium and a NATS server first where they are missing: the
# dashboard, the browser recorder and the bridge are tested with real ones, and a test that is skipped tests nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null 2>&1; }

install_browser() {
  have apt-get || {
    echo "The browser tests need Chromium and ChromeDriver (commands 'chromium' and 'chromedriver')." >&2
    echo "Install them with your system's package manager, then run this again." >&2
    exit 1
  }
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  echo "Installing Chromium and ChromeDriver for the browser tests."
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends chromium chromium-driver
}

{ have chromium && have chromedriver; } || install_browser

bash scripts/nats/install.sh
bash scripts/tests/launchers.sh
# Installing a web server would start it: where there is one, the dashboard is looked at through it.
if PATH=$PATH:/usr/sbin have nginx; then
  bash scripts/tests/nginx.sh
else
  echo "There is no nginx here, so the dashboard behind a path is only tested with a proxy of our own."
fi
cargo test --workspace --locked "$@"
# Says so where it cannot run.
bash scripts/tests/full_disk.sh || [ $? -eq 77 ]
