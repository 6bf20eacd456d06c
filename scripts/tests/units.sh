#!/usr/bin/env bash
# Tests the systemd units: every setting is known to systemd, and the exposure of each is at most 1.1 of 10. Installs
# systemd-analyze where apt-get can.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
need systemd systemd-analyze
cd scripts/ops/systemd
exposure_max=11 # tenths

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for unit in *.service; do
  systemd-analyze security --offline=true --no-pager --threshold="$exposure_max" "$unit" >"$work/exposure" || {
    cat "$work/exposure"
    echo "the exposure of $unit is above $exposure_max tenths" >&2
    exit 1
  }
  tail -n 1 "$work/exposure"
  # The programs need not be installed to check their units.
  sed 's|^ExecStart=/usr/bin/[a-z]*|ExecStart=/bin/true|' "$unit" >"$work/$unit"
done
# Units refer to each other, so they are verified together. `verify` exits with 0 even after warnings.
warnings=$(systemd-analyze verify --man=no "$work"/*.service 2>&1) || { echo "$warnings" >&2; exit 1; }
[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }
echo "all units are valid"
