#!/usr/bin/env python3
"""Checks that what the docs quote from the code is there: error texts in the tables of docs/how-to/ and of the FAQ, and
names of functions, tests and constants in the checklists.

In a column "message" or "you see", text in backticks or in double quotes is an error text; "…" in it stands for a value.
In a checklist, `several_words_like_this` is the name of a function or a test, `WORDS_LIKE_THIS` that of a constant.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts/dev"))
import rust_source  # noqa: E402

CHECKLISTS = ROOT / "docs/developers/checklists.md"
COLUMNS = {"message", "you see"}
QUOTED = re.compile(r'(`+)(?P<code>.+?)\1|"(?P<text>[^"]+)"')
LITERAL = re.compile(r'r(#*)"(.*?)"\1|"((?:[^"\\]|\\.)*)"', re.DOTALL)
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# A single word, such as an event or a key, is not an error text.
WORDS_MIN = 2
# Finding fewer than these means that the check itself is broken.
QUOTES_MIN, NAMES_MIN = 25, 10


def plain(text):
    return " ".join(text.split()).strip(" .")


def literals():
    """Returns the string literals of the product code as plain text, with `…` for placeholders."""
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
    """Yields (page, line, text) for each quoted error text."""
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
    """Returns whether a literal contains the parts of a quoted text in their order."""
    at = 0
    for part in text.split("…"):
        at = literal.find(part.strip(), at)
        if at < 0:
            return False
        at += len(part.strip())
    return True


def names():
    """Yields (line, name) for each function, test or constant that a checklist names."""
    for number, line in enumerate(CHECKLISTS.read_text(encoding="utf-8").splitlines(), 1):
        for name in re.findall(r"`([a-z]+(?:_[a-z0-9]+){2,}|[A-Z]{2,}(?:_[A-Z]+)*)`", line):
            yield number, name


def defined_names():
    found = set()
    for path in ROOT.glob("crates/*/[st]*/**/*.rs"):
        found |= set(re.findall(r"\b(?:fn|const|static) (\w+)", rust_source.read(path)))
    for path in ROOT.glob("crates/*/src/web/js/**/*.js"):
        found |= set(re.findall(r"\b(?:function|const|let) (\w+)", rust_source.read(path)))
    return found


def main():
    texts, count, problems = literals(), 0, []
    for page, line, text in quotes():
        count += 1
        if not any(is_in(text, it) for it in texts):
            problems.append(f"{page.relative_to(ROOT)}:{line}: no program prints “{text}”")
    named, defined = list(names()), defined_names()
    problems += [f"{CHECKLISTS.relative_to(ROOT)}:{line}: nothing is called {it}" for line, it in named if it not in defined]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise SystemExit(1)
    if count < QUOTES_MIN or len(named) < NAMES_MIN:
        raise SystemExit(f"only {count} quoted error texts and {len(named)} names: the check is broken")
    print(f"all {count} quoted error texts and {len(named)} names are in the sources")


main()
