#!/usr/bin/env bash
# Runs every test with instrumented programs, prints the line coverage per crate and in total, and fails if the total
# is below 85 %. It builds everything a second time, so .ci/run does not run it.
#
#   scripts/dev/coverage.sh [ARGUMENT OF cargo test]...
#
# Installs cargo-llvm-cov and the toolchain's llvm-tools when they are missing. Programs started by a test count too,
# except those that it kills, which cannot write their coverage.
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

command -v cargo-llvm-cov >/dev/null || cargo install --locked cargo-llvm-cov
# LLVM_COV and LLVM_PROFDATA may name other installations of these tools.
[ -n "${LLVM_COV:-}" ] || rustup component add llvm-tools-preview

what=("$@")
[ "${#what[@]}" != 0 ] || what=(--workspace)
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
cargo llvm-cov --locked --json --summary-only --output-path "$summary" "${what[@]}"

python3 - "$summary" <<'PYTHON'
import collections
import json
import re
import sys

COVERAGE_MIN = 85

crates, files = collections.Counter(), []
for file in json.load(open(sys.argv[1]))["data"][0]["files"]:
    name = re.search(r"crates/(\w+)/src/.*", file["filename"])
    if name:
        lines = file["summary"]["lines"]
        crates[name[1], "lines"] += lines["count"]
        crates[name[1], "reached"] += lines["covered"]
        files.append((lines["count"] - lines["covered"], lines["count"], name[0]))


def row(name, reached, lines):
    print(f"{name:12} {lines:7} lines {100 * reached / lines:6.1f} % covered")


print()
names = sorted({name for name, _ in crates})
for name in names:
    row(name, crates[name, "reached"], crates[name, "lines"])
total = sum(crates[name, "lines"] for name in names)
reached = sum(crates[name, "reached"] for name in names)
row("total", reached, total)
print("\nfiles with the most uncovered lines:")
for missed, lines, name in sorted(files, reverse=True)[:15]:
    print(f"{missed:6} of {lines:5}  {name}")
if 100 * reached < COVERAGE_MIN * total:
    sys.exit(f"the line coverage is below {COVERAGE_MIN} %")
PYTHON
