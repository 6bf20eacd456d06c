#!/usr/bin/env python3
"""Checks docs/reference/api.md against docs/openapi.json, which tests of the predictor compare with the program: every route
and key is on the page, and no others are. Keys of the collector's status may be on the page of files instead."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/reference/api.md"
FILES = ROOT / "docs/reference/csv-format.md"
DOCUMENT = ROOT / "docs/openapi.json"
# Finding fewer than this means that the check itself is broken.
KEYS_MIN = 150
# Words in backticks that the document need not have: a symbol, a method of the scorecard, events of the stream, a host.
OUTSIDE = {"m", "ensemble", "ready", "started", "resync", "localhost"}
# Routes of the page's own parts, such as a style sheet, need no explanation.
PART = re.compile(r"\.(css|js|svg)$")


def properties(node):
    """Yields the names of all properties of the schemas in a part of the document."""
    if isinstance(node, dict):
        yield from node.get("properties", {}) if isinstance(node.get("properties"), dict) else ()
        for value in node.values():
            yield from properties(value)
    elif isinstance(node, list):
        for value in node:
            yield from properties(value)


def main():
    page, text = PAGE.read_text(encoding="utf-8"), DOCUMENT.read_text(encoding="utf-8")
    document = json.loads(text)
    keys = set(properties(document))
    explained = set(re.findall(r"\w+", page)) | set(re.findall(r"\w+", FILES.read_text(encoding="utf-8")))
    known = set(re.findall(r"\w+", text))
    problems = [f"the key {key} is not explained" for key in sorted(keys - explained)]
    problems += [f"the route {route} is not explained" for route in document["paths"] if not PART.search(route) and route.split("{")[0] not in page]
    for number, line in enumerate(page.splitlines(), 1):
        for name in re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)*)`", line):
            if name not in known and name not in OUTSIDE:
                problems.append(f"line {number}: there is no {name} in {DOCUMENT.relative_to(ROOT)}")
    for problem in problems:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if problems:
        raise SystemExit(1)
    if len(keys) < KEYS_MIN:
        raise SystemExit(f"only {len(keys)} keys: the check is broken")
    print(f"all {len(keys)} keys of the API are explained")


main()
