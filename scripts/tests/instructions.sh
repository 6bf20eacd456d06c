#!/usr/bin/env bash
# Counts the instructions of the expensive parts, and fails if one has grown by more than a tenth.
#
#   scripts/tests/instructions.sh             compare with scripts/tests/instructions.txt
#   scripts/tests/instructions.sh --write     write the current counts there
#
# Unlike times, counts are the same on a busy and an idle machine. They are taken in the test profile, which is built
# anyway. More work shows in any profile, but a higher count can also come from the compiler, which inlines little in
# this profile; to decide, count a release build (valgrind target/release/examples/work fit 3000). Installs valgrind
# where apt-get can.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac

known=scripts/tests/instructions.txt
program=${CARGO_TARGET_DIR:-target}/debug/examples/work

# shellcheck source=scripts/lib/packages.sh
. scripts/lib/packages.sh
need valgrind valgrind
# Build it as `cargo test --workspace` does, so that nothing is built twice.
cargo build --quiet --locked --workspace --example work

# The C library chooses variants of pow and exp by processor; force the one that every x86-64 processor supports.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4

executed() { # PART TIMES
  valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 >/dev/null |
    awk '/I +refs:/ { gsub(/,/, "", $NF); print $NF }'
}

cost() { # PART FEW MANY: instructions of one repetition
  local few many
  few=$(executed "$1" "$2") many=$(executed "$1" "$3")
  echo $(((many - few) / ($3 - $2)))
}

current_counts() {
  echo "features $(cost features 1000 4000)"
  echo "round $(cost round 1000 4000)"
  echo "fit $(cost fit 500 3000)"
}

if [ "${1:-}" = --write ]; then
  { echo "# Instructions per round, written by scripts/tests/instructions.sh --write"; current_counts; } >"$known"
  cat "$known"
  exit
fi

failed=0
while read -r part count; do
  bound=$(awk -v part="$part" '$1 == part { print int($2 * 1.1) }' "$known")
  if [ -z "$bound" ] || [ "$count" -gt "$bound" ]; then
    echo "FAILED: $part takes $count instructions per round; the bound is ${bound:-missing}"
    failed=1
  else
    echo "$part takes $count instructions per round, at most $bound"
  fi
done < <(current_counts)
exit "$failed"
