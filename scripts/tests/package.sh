#!/usr/bin/env bash
# Tests the Debian package: installs it in a separate system (debootstrap, as root), checks the files, records a few
# rounds as the package's user, and purges it. The programs and settings must then be gone and the rounds must remain.
#
#   scripts/tests/package.sh aviator_0.1.0_amd64.deb [FOLDER]     FOLDER: the system; created when it does not exist
set -euo pipefail
package=$(realpath "$1")
summary=$(sed -n 's/^description = "\(.*\)"/\1/p' "$(dirname "$0")/../../crates/predictor/Cargo.toml")
system=${2:-}
suite=bookworm
# The mirror of this system, from lines that are not commented out; on a system other than Debian, debootstrap chooses one.
mirror=$(grep -rhE '^(deb |URIs:)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
  grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)

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
# Prints the warnings of man about the manual pages. Runs outside the test system, because minbase has no man.
pages_complain() {
  local page
  for page in "$system"/usr/share/man/man1/{collector,predictor,bridge}*.1.gz; do
    { LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -l "$page" >/dev/null; } 2>&1
  done
}
absent() { [ ! -e "$system/$1" ]; }
owned() { [ "$(inside stat -c '%U:%G %a' "$1")" = "$2" ]; }
as_collector() { inside setpriv --reuid aviator-collector --regid aviator --clear-groups "$@"; }
as_bridge() { inside setpriv --reuid aviator-bridge --regid aviator --clear-groups "$@"; }
as_predictor() { inside setpriv --reuid aviator-predictor --regid aviator --clear-groups "$@"; }

# minbase excludes documentation.
rm -f "$system"/etc/dpkg/dpkg.cfg.d/*
# The key of an earlier run stays after the purge, and the bridge never overwrites a key.
rm -f "$system/var/lib/aviator/bridge/attic.nk"
cp "$package" "$system/tmp/aviator.deb"
inside apt-get install -q -y --no-install-recommends /tmp/aviator.deb

for program in collector predictor bridge; do
  check "$program runs" inside "/usr/bin/$program" --version
  check "$program has a manual page" test -s "$system/usr/share/man/man1/$program.1.gz"
  check "bash completes $program" inside bash -c ". /usr/share/bash-completion/completions/$program && complete -p $program"
  check "the user aviator-$program exists" inside getent passwd "aviator-$program"
done
for program in collector predictor; do
  check "the settings of the $program are valid" inside "$program" --config "/etc/aviator/$program.toml" --print-config
done
for unit in collector predictor bridge-push bridge-pull; do
  check "aviator-$unit is installed" test -s "$system/lib/systemd/system/aviator-$unit.service"
  check "aviator-$unit is not enabled" absent "etc/systemd/system/multi-user.target.wants/aviator-$unit.service"
done
# shellcheck disable=SC2016 # the variable is dpkg-query's
check "the summary is the description of the crate" test "$(inside dpkg-query -W -f='${binary:Summary}' aviator)" = "$summary"
check "no manual page has an error" test -z "$(pages_complain)"
check "the collector owns the rounds, and the group may read them" owned /var/lib/aviator/data "aviator-collector:aviator 750"
check "the predictor owns the forecasts" owned /var/lib/aviator/predictor "aviator-predictor:aviator 750"
for folder in bridge pulled; do
  check "the bridge owns $folder" owned "/var/lib/aviator/$folder" "aviator-bridge:aviator 750"
done
check "the settings of the bridge can be sourced" sh -ec ". '$system/etc/aviator/bridge.env'; test -n \"\$AVIATOR_HUB\""
check "the collector records as its user" as_collector collector --config /etc/aviator/collector.toml \
  --data-dir /var/lib/aviator/data --history 50 --rounds 3 --pace max
check "the predictor reads the rounds as its user" as_predictor predictor doctor --config /etc/aviator/predictor.toml \
  --data-dir /var/lib/aviator/data --state-dir /var/lib/aviator/predictor
check "the predictor cannot write rounds" as_predictor sh -c '! touch /var/lib/aviator/data/x'
check "the bridge reads rounds and cannot write them" as_bridge sh -c 'cat /var/lib/aviator/data/*.csv >/dev/null && ! touch /var/lib/aviator/data/x'
check "the bridge creates a key as its user" as_bridge /usr/bin/bridge key /var/lib/aviator/bridge/attic.nk

echo "# changed" >>"$system/etc/aviator/collector.toml"
inside apt-get install -q -y --reinstall /tmp/aviator.deb >/dev/null
check "an upgrade keeps changed settings" grep -q "# changed" "$system/etc/aviator/collector.toml"

rows() { cat "$system"/var/lib/aviator/data/*.csv | sha256sum; }
before=$(rows)
inside apt-get purge -q -y aviator
for program in collector predictor bridge; do
  check "$program is gone" absent "usr/bin/$program"
done
for unit in collector predictor bridge-push bridge-pull; do
  check "aviator-$unit is gone" absent "lib/systemd/system/aviator-$unit.service"
done
check "the settings are gone" absent etc/aviator
check "the rounds remain, byte for byte" test "$(rows)" = "$before"
check "the key of the bridge remains" test -s "$system/var/lib/aviator/bridge/attic.nk"
check "the collector still owns the rounds" owned /var/lib/aviator/data "aviator-collector:aviator 750"
[ "$failed" -eq 0 ] || { echo "$failed checks failed" >&2; exit 1; }
