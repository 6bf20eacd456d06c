#!/usr/bin/env bash
# Tests that builds are reproducible: two clones in folders with different names, built and packed for release into
# different target directories, give the same bytes. Two release builds take half an hour on two cores, so run this
# before a release and not with every change. Tests the last commit.
#
#   scripts/tests/reproducible.sh [DIR]     where to build; kept when given, else a temporary directory
#
# CARGO_BUILD_JOBS     how many compilers run at once
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
place=${1:-}
if [ -z "$place" ]; then
  place=$(mktemp -d)
  trap 'rm -rf "$place"' EXIT
fi
mkdir -p "$place"
place=$(cd "$place" && pwd)

clone() { # FOLDER
  rm -rf "${place:?}/$1"
  mkdir -p "$(dirname "$place/$1")"
  git clone -q --no-hardlinks "$root" "$place/$1"
}
build() { # FOLDER TARGET
  (cd "$place/$1" && CARGO_TARGET_DIR="$place/$2" bash scripts/release/package.sh "$place/$2/dist" >/dev/null)
  # The programs before they are stripped, and the packages.
  (cd "$place/$2" && sha256sum release/{collector,predictor,bridge} dist/aviator*) >"$place/$2.sums"
  cat "$place/$2.sums"
}

clone one
clone another/folder
build one target-one
build another/folder target-another
if ! diff "$place/target-one.sums" "$place/target-another.sums"; then
  echo "the same sources gave different bytes" >&2
  exit 1
fi
echo "both folders gave the same bytes"
