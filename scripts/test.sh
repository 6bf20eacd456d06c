#!/usr/bin/env bash
# Runs every test of the project. First installs Chromium and a NATS server when they are missing: the dashboard, the
# browser source and the bridge are tested with real ones, because a skipped test tests nothing.
#
#   scripts/test.sh [ARGUMENT OF cargo test]...
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
need "chromium chromium-driver" chromium chromedriver
bash scripts/dev/nats/install.sh
bash scripts/tests/launchers.sh
# Installing a web server would start it, so the test with nginx runs only where nginx is installed already.
if PATH=$PATH:/usr/sbin command -v nginx >/dev/null; then
  bash scripts/tests/nginx.sh
else
  echo "nginx is not installed: the dashboard behind a path prefix is tested only with the tests' own proxy."
fi
cargo test --workspace --locked "$@"
# Exits with 77 and prints the reason where it cannot run.
bash scripts/tests/full_disk.sh || [ $? -eq 77 ]
