#!/usr/bin/env bash
# Installs the Debian package in a system of its own (debootstrap, as root), looks at what is there, records a few
# rounds as its user, and purges it again: programs and settings have to go, rounds have to stay.
#
#   scripts/tests/package.sh aviator_0.1.0_amd64.deb [FOLDER]     FOLDER: the system; made where it is not there
set -euo pipefail
package=$(realpath "$1")
system=${2:-}
suite=bookworm
# The one this system uses; debootstrap knows another where that is no Debian.
mirror=$(grep -rhoE 'https?://[^ ]+/debian/?' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -n 1 || true)

if [ -z "$system" ]; then
  system=$(mktemp -d)
  trap 'rm -rf "$system"' EXIT
fi
[ -x "$system/usr/bin/dpkg" ] || debootstrap --variant=minbase "$suite" "$system" ${mirror:+"$mirror"}

inside() { chroot "$system" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
failed=0
check() { # WHAT COMMAND...
  local what=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "ok   $what"; else echo "FAIL $what"; failed=$((failed + 1)); fi
}
absent() { [ ! -e "$system/$1" ]; }
owned() { [ "$(inside stat -c '%U:%G %a' "$1")" = "$2" ]; }
as_collector() { inside setpriv --reuid aviator-collector --regid aviator --clear-groups "$@"; }
as_predictor() { inside setpriv --reuid aviator-predictor --regid aviator --clear-groups "$@"; }

# minbase leaves documentation out.
rm -f "$system"/etc/dpkg/dpkg.cfg.d/*
cp "$package" "$system/tmp/aviator.deb"
inside apt-get install -q -y --no-install-recommends /tmp/aviator.deb

for program in collector predictor; do
  check "$program runs" inside "/usr/bin/$program" --version
  check "$program has a manual page" test -s "$system/usr/share/man/man1/$program.1.gz"
  check "bash completes $program" inside bash -c ". /usr/share/bash-completion/completions/$program && complete -p $program"
  check "$program has a unit" test -s "$system/lib/systemd/system/aviator-$program.service"
  check "the user aviator-$program is there" inside getent passwd "aviator-$program"
  check "its settings are understood" inside "$program" --config "/etc/aviator/$program.toml" --print-config
done
check "rounds are the collector's, for the group to read" owned /var/lib/aviator/data "aviator-collector:aviator 750"
check "forecasts are the predictor's" owned /var/lib/aviator/predictor "aviator-predictor:aviator 750"
check "the collector records as its user" as_collector collector --config /etc/aviator/collector.toml \
  --data-dir /var/lib/aviator/data --history 50 --rounds 3 --pace max
check "the predictor reads them as its own" as_predictor predictor doctor --config /etc/aviator/predictor.toml \
  --data-dir /var/lib/aviator/data --state-dir /var/lib/aviator/predictor
check "and cannot write them" as_predictor sh -c '! touch /var/lib/aviator/data/x'

echo "# changed" >>"$system/etc/aviator/collector.toml"
inside apt-get install -q -y --reinstall /tmp/aviator.deb >/dev/null
check "an upgrade keeps changed settings" grep -q "# changed" "$system/etc/aviator/collector.toml"

rows() { cat "$system"/var/lib/aviator/data/*.csv | sha256sum; }
before=$(rows)
inside apt-get purge -q -y aviator
check "the programs are gone" absent usr/bin/collector
check "the units are gone" absent lib/systemd/system/aviator-collector.service
check "the settings are gone" absent etc/aviator
check "the rounds are there, byte for byte" test "$(rows)" = "$before"
check "and still the collector's" owned /var/lib/aviator/data "aviator-collector:aviator 750"
[ "$failed" -eq 0 ] || { echo "$failed checks failed" >&2; exit 1; }
