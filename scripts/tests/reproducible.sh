#!/usr/bin/env bash
# Two clones in folders with different names, built and packed for release into different target directories, give the
# same bytes. Two release builds: a matter of half an hour on two cores, so it is run before a release and not with every
# change. Tests what is committed.
#
#   scripts/tests/reproducible.sh [DIR]     where to build; it stays when named, else it goes when done
#
# CARGO_BUILD_JOBS     how many compilers at once
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

take() { # FOLDER
  rm -rf "${place:?}/$1"
  mkdir -p "$(dirname "$place/$1")"
  git clone -q --no-hardlinks "$root" "$place/$1"
}
build() { # FOLDER TARGET
  (cd "$place/$1" && CARGO_TARGET_DIR="$place/$2" bash scripts/package.sh "$place/$2/dist" >/dev/null)
  # Before anything is stripped, and what is made of it.
  (cd "$place/$2" && sha256sum release/{collector,predictor,bridge} dist/aviator*) >"$place/$2.sums"
  cat "$place/$2.sums"
}

take one
take another/folder
build one target-one
build another/folder target-another
if ! diff "$place/target-one.sums" "$place/target-another.sums"; then
  echo "the same sources gave different bytes" >&2
  exit 1
fi
echo "both folders gave the same bytes"
