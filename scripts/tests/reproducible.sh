#!/usr/bin/env bash
# Tests that builds are reproducible: two clones of the last commit, in folders with different names, built and packed
# for release into different target directories, give the same bytes. Two release builds take half an hour on two cores,
# so run this before a release and not with every change.
#
#   scripts/tests/reproducible.sh [DIR]     where to build, kept afterwards (default: a temporary directory)
#
# CARGO_BUILD_JOBS     how many compilers run at once
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
base=${1:-}
if [ -z "$base" ]; then
  base=$(mktemp -d)
  trap 'rm -rf "$base"' EXIT
fi
mkdir -p "$base"
base=$(cd "$base" && pwd)

clone() { # FOLDER
  rm -rf "${base:?}/$1"
  mkdir -p "$(dirname "$base/$1")"
  git clone -q --no-hardlinks "$root" "$base/$1"
}
build() { # FOLDER TARGET
  (cd "$base/$1" && CARGO_TARGET_DIR="$base/$2" bash scripts/release/package.sh "$base/$2/dist" >/dev/null)
  # The programs before they are stripped, and the packages.
  (cd "$base/$2" && sha256sum release/{collector,predictor,bridge} dist/aviator*) >"$base/$2.sums"
  cat "$base/$2.sums"
}

clone one
clone another/folder
build one target-one
build another/folder target-another
if ! diff "$base/target-one.sums" "$base/target-another.sums"; then
  echo "the same sources gave different bytes" >&2
  exit 1
fi
echo "both folders gave the same bytes"
