#!/usr/bin/env python3
"""Checks that docs/how-to/monitor-and-get-alerts.md says what every alert, and docs/reference/log-messages.md what every
warning and every error in a program's log asks of the operator, each by its own words."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Said in full: the rest of a message, between the values that are filled in, is its words.
WORDS_MIN = 12
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def plain(text):
    return " ".join(text.split())


def messages(source):
    """The words of each message in a file, its tests left out."""
    code = source.split("#[cfg(test)]")[0]
    for start in re.finditer(r"\b(?:warn|error)!\(", code):
        depth, end = 1, start.end()
        inside = False
        while depth and end < len(code):
            char = code[end]
            if char == '"' and code[end - 1] != "\\":
                inside = not inside
            elif not inside:
                depth += (char == "(") - (char == ")")
            end += 1
        texts = TEXT.findall(code[start.end():end])
        parts = [plain(part) for text in texts for part in re.split(r"\{[^}]*\}", text.replace("\\\n", ""))]
        # One without words of its own hands on what something else has said.
        said = max(parts, key=len, default="").strip(" .;:,📝")
        if len(said) >= WORDS_MIN:
            yield said


def main():
    alerting = plain((ROOT / "docs/how-to/monitor-and-get-alerts.md").read_text(encoding="utf-8"))
    logged = plain((ROOT / "docs/reference/log-messages.md").read_text(encoding="utf-8"))
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "scripts/monitoring/alerts.yml").read_text(encoding="utf-8"))
    missing = [f"alert {alert}" for alert in alerts if f"`{alert}`" not in alerting]
    count = 0
    for path in sorted(ROOT.glob("crates/*/src/**/*.rs")):
        if path.name == "tests.rs":
            continue
        for said in messages(path.read_text(encoding="utf-8")):
            count += 1
            if said not in logged:
                missing.append(f"{path.relative_to(ROOT)}: {said}")
    for what in missing:
        print(f"docs do not say what is asked of the operator: {what}", file=sys.stderr)
    if missing:
        raise SystemExit(1)
    print(f"{len(alerts)} alerts and {count} messages of the log are explained")


main()
