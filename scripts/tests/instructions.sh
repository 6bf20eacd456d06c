#!/usr/bin/env bash
# Counts the instructions of the costly parts and fails when one has grown by more than a tenth.
#
#   scripts/tests/instructions.sh             compare with scripts/tests/instructions.txt
#   scripts/tests/instructions.sh --write     write today's counts there
#
# Counts are the same on a busy machine and an idle one, so unlike times they can guard a change.
# They are those of the profile the tests are built in, which is at hand; a part that does more work
# shows in any profile. The other way round it may be the compiler, which inlines little there: what
# a release build of the example counts tells which (valgrind target/release/examples/work fit 3000). Needs valgrind, and installs it where apt-get can.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac

known=scripts/tests/instructions.txt
program=${CARGO_TARGET_DIR:-target}/debug/examples/work

if ! command -v valgrind >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing valgrind ..." >&2
    apt-get update -qq && apt-get install -y -qq valgrind >/dev/null
  else
    echo "valgrind is not installed. On Debian or Ubuntu: sudo apt-get install valgrind" >&2
    exit 1
  fi
fi
# As `cargo test --workspace` builds it, so that nothing is built twice.
cargo build --quiet --locked --workspace --example work

# The C library picks its pow and exp by the processor; here it always takes those that every x86-64 has.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4

executed() { # PART TIMES
  valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 >/dev/null |
    awk '/I +refs:/ { gsub(/,/, "", $NF); print $NF }'
}

cost() { # PART FEW MANY: of one time
  local few many
  few=$(executed "$1" "$2") many=$(executed "$1" "$3")
  echo $(((many - few) / ($3 - $2)))
}

today() {
  echo "features $(cost features 1000 4000)"
  echo "round $(cost round 1000 4000)"
  echo "fit $(cost fit 500 3000)"
}

if [ "${1:-}" = --write ]; then
  { echo "# Instructions a round, written by scripts/tests/instructions.sh --write"; today; } >"$known"
  cat "$known"
  exit
fi

failed=0
while read -r part count; do
  bound=$(awk -v part="$part" '$1 == part { print int($2 * 1.1) }' "$known")
  if [ -z "$bound" ] || [ "$count" -gt "$bound" ]; then
    echo "FAILED: $part takes $count instructions a round, more than ${bound:-the bound that is not there}"
    failed=1
  else
    echo "$part takes $count instructions a round, at most $bound"
  fi
done < <(today)
exit "$failed"
