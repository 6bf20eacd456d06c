#!/usr/bin/env python3
"""Checks that docs/ explains every alert, and every log message of level WARN or ERROR, to the operator.

The docs must mention an alert as code (`AviatorCollectorDown`), and a log message by its longest fixed text.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "dev"))
import rust_source  # noqa: E402

# Messages whose longest fixed text is shorter than this are skipped.
LENGTH_MIN = 12
MESSAGE = re.compile(r"\b(?:warn|error)!\s*\(")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def plain(text):
    return " ".join(text.split())


def messages(file):
    """Yields the longest fixed text of each warning and error in a file's product code."""
    text, code = rust_source.product_code(file)
    for found in MESSAGE.finditer(code):
        end = rust_source.closing(code, found.end() - 1)
        literals = TEXT.findall(text[found.end():end])
        parts = [plain(part) for literal in literals for part in re.split(r"\{[^}]*\}", literal.replace("\\\n", ""))]
        # A message without its own text passes on that of an error, which is not checked.
        longest = max(parts, key=len, default="").strip(" .;:,📝")
        if len(longest) >= LENGTH_MIN:
            yield longest


def main():
    docs = plain(" ".join(file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("docs/**/*.md"))))
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "scripts/ops/monitoring/alerts.yml").read_text(encoding="utf-8"))
    files = [file for file in sorted(ROOT.glob("crates/*/src/**/*.rs")) if file.name != "tests.rs"]
    texts = [(file.relative_to(ROOT), text) for file in files for text in messages(file)]
    if not docs or not alerts or not texts:
        sys.exit(f"nothing to check: {len(docs)} characters of docs, {len(alerts)} alerts, {len(texts)} messages")
    missing = [f"alert {alert}" for alert in alerts if f"`{alert}`" not in docs]
    missing += [f"{file}: {text}" for file, text in texts if text not in docs]
    for what in missing:
        print(f"docs/ does not explain: {what}", file=sys.stderr)
    if missing:
        sys.exit(1)
    print(f"{len(alerts)} alerts and {len(texts)} log messages are explained")


main()
