#!/usr/bin/env python3
"""Checks that docs/how-to/monitor-and-get-alerts.md says what to do about every alert for Prometheus, and names no other."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/how-to/monitor-and-get-alerts.md"
ALERTS = ROOT / "scripts/ops/monitoring/alerts.yml"
# Finding fewer than this means that the check itself is broken.
ALERTS_MIN = 10


def main():
    defined = set(re.findall(r"- alert: (\w+)", ALERTS.read_text(encoding="utf-8")))
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `Aviator")]
    explained = {name for row in rows if row[2].strip() for name in re.findall(r"`(\w+)`", row[1])}
    problems = [f"{name} is not explained" for name in sorted(defined - explained)]
    problems += [f"there is no alert {name}" for name in sorted(explained - defined)]
    for problem in problems:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if problems:
        raise SystemExit(1)
    if len(defined) < ALERTS_MIN:
        raise SystemExit(f"only {len(defined)} alerts: the check is broken")
    print(f"all {len(defined)} alerts are explained")


main()
