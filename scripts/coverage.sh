#!/usr/bin/env bash
# Runs every test with instrumented programs, prints the share of lines they reach, per crate and in all, and fails
# where that is less than 85 %. It builds everything a second time, so .ci/run leaves it out.
#
#   scripts/coverage.sh [ARGUMENT OF cargo test]...
#
# Installs cargo-llvm-cov and the toolchain's llvm-tools where they are missing. The programs that tests start count as
# well, but for those that a test kills: they have no time to write down where they were.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

command -v cargo-llvm-cov >/dev/null || cargo install --locked cargo-llvm-cov
# LLVM_COV and LLVM_PROFDATA name tools from elsewhere.
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

LEAST = 85

crates, files = collections.Counter(), []
for file in json.load(open(sys.argv[1]))["data"][0]["files"]:
    name = re.search(r"crates/(\w+)/src/.*", file["filename"])
    if name:
        lines = file["summary"]["lines"]
        crates[name[1], "lines"] += lines["count"]
        crates[name[1], "reached"] += lines["covered"]
        files.append((lines["count"] - lines["covered"], lines["count"], name[0]))


def row(name, reached, lines):
    print(f"{name:12} {lines:7} lines {100 * reached / lines:6.1f} % reached")


print()
names = sorted({name for name, _ in crates})
for name in names:
    row(name, crates[name, "reached"], crates[name, "lines"])
total = sum(crates[name, "lines"] for name in names)
reached = sum(crates[name, "reached"] for name in names)
row("in all", reached, total)
print("\nmost lines that no test reaches:")
for missed, lines, name in sorted(files, reverse=True)[:15]:
    print(f"{missed:6} of {lines:5}  {name}")
if 100 * reached < LEAST * total:
    sys.exit(f"fewer than {LEAST} % of the lines are reached")
PYTHON
