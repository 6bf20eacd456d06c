#!/usr/bin/env python3
"""Checks that each error text that a table of docs/how-to/ or of the FAQ quotes is in the source of a program.

In the column "message" or "you see", text in backticks or in double quotes is such a text; "…" in it stands for a value.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts/dev"))
import rust_source  # noqa: E402

COLUMNS = {"message", "you see"}
QUOTED = re.compile(r'(`+)(?P<code>.+?)\1|"(?P<text>[^"]+)"')
LITERAL = re.compile(r'r(#*)"(.*?)"\1|"((?:[^"\\]|\\.)*)"', re.DOTALL)
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# A single word, such as an exit code, an event or a key, is no error text.
WORDS_MIN = 2
# The least that a check of this repository finds; less means that the check itself is broken.
QUOTES_MIN = 25


def plain(text):
    return " ".join(text.split()).strip(" .")


def literals():
    """The string literals of the products as plain text, their placeholders as `…`."""
    found = []
    for path in sorted(ROOT.glob("crates/*/src/**/*.rs")):
        if path.name == "tests.rs" or "tests" in path.parts:
            continue
        text, code = rust_source.product_code(path)
        for it in LITERAL.finditer(text):
            raw = it.group(2) if it.group(2) is not None else re.sub(r"\\\n\s*", "", it.group(3))
            found.append(plain(PLACEHOLDER.sub("…", re.sub(r'\\(["\\])', r"\1", raw))))
    return found


def quotes():
    """(page, line, quoted text) of each error text that is quoted."""
    for page in [*sorted((ROOT / "docs/how-to").glob("*.md")), ROOT / "docs/faq.md"]:
        is_listing = False
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if not line.startswith("|"):
                is_listing = False
                continue
            cell = re.split(r"(?<!\\)\|", line)[1].strip()
            if cell in COLUMNS:
                is_listing = True
            elif is_listing:
                for it in QUOTED.finditer(cell):
                    text = plain(it.group("code") or it.group("text"))
                    if len(text.replace("…", " ").split()) >= WORDS_MIN:
                        yield page, number, text


def is_in(text, literal):
    """Whether the parts of a quoted text are in a literal, in their order."""
    at = 0
    for part in text.split("…"):
        at = literal.find(part.strip(), at)
        if at < 0:
            return False
        at += len(part.strip())
    return True


def main():
    texts, count, problems = literals(), 0, []
    for page, line, text in quotes():
        count += 1
        if not any(is_in(text, it) for it in texts):
            problems.append(f"{page.relative_to(ROOT)}:{line}: no program says “{text}”")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise SystemExit(1)
    if count < QUOTES_MIN:
        raise SystemExit(f"only {count} quoted error texts: the check is broken")
    print(f"all {count} quoted error texts are in the sources")


main()
