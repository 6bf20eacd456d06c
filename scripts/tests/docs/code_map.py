#!/usr/bin/env python3
"""Checks that docs/developers/code-map.md has one line for each module of each crate, with the first sentence of the
module's documentation. UPDATE_DOCS=1 rewrites it."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/developers/code-map.md"
# Finding fewer than this means that the check itself is broken.
MODULES_MIN = 150
BEGIN, END = "<!-- map: UPDATE_DOCS=1 python3 scripts/tests/docs/code_map.py -->\n", "<!-- end of the map -->\n"


# Kinds of items whose documentation describes a module without its own, best first.
ITEMS = ["struct", "enum", "trait", "fn", "type"]
ITEM = re.compile(r"(?:pub(?:\([^)]*\))? +)?(?:async +|const +(?=fn))*(struct|enum|trait|fn|type)\b")


def sentence(lines):
    """Returns the first sentence of documentation, without rustdoc links."""
    paragraph = []
    for line in lines:
        if not line.strip() and paragraph:
            break
        if line.strip():
            paragraph.append(line.strip())
    text = " ".join(paragraph)
    text = re.sub(r"\[(`[^`]+`|[^\[\]]+)\](?:\([^)]*\)|\[[^\]]*\])?", r"\1", text)
    end = re.search(r"[.!?](?=\s+[A-Z`])(?<!e\.g\.)(?<!i\.e\.)", text)
    return (text[: end.end()] if end else text).rstrip(":").strip()


def summary(path):
    """Returns the first sentence on a module: from its own documentation, else from that of its most important item."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    own = [line[3:] for line in lines if line.startswith("//!")]
    if own:
        return sentence(own)
    best, block = (9, []), []
    for line in lines:
        if line.startswith("///"):
            block.append(line[3:])
        elif block and not line.startswith("#"):
            kind = ITEM.match(line)
            rank = ITEMS.index(kind.group(1)) if kind else len(ITEMS)
            best = min(best, (rank, block), key=lambda it: it[0])
            block = []
    return sentence(best[1])


def modules(crate):
    """Returns the modules of a crate without unit tests, `foo.rs` before `foo/`."""
    def key(path):
        parts = list(path.relative_to(crate / "src").with_suffix("").parts)
        top = 0 if parts == ["main"] or parts == ["lib"] else 1
        return top, [part for part in parts]
    found = [path for path in (crate / "src").rglob("*.rs")]
    is_test = lambda path: path.name == "tests.rs" or "tests" in path.relative_to(crate / "src").parts[:-1]
    return sorted((path for path in found if not is_test(path)), key=key)


def rendered():
    parts, problems, count = [], [], 0
    for crate in sorted(path.parent for path in ROOT.glob("crates/*/Cargo.toml")):
        parts.append(f"\n## `{crate.name}`\n\n| module | does |\n|---|---|\n")
        for path in modules(crate):
            count += 1
            text = summary(path)
            if not text:
                problems.append(f"{path.relative_to(ROOT)} has no documentation")
            place = path.relative_to(crate / "src")
            text = text.replace("|", "\\|")
            parts.append(f"| [`{place}`](../../{path.relative_to(ROOT)}) | {text} |\n")
    return "".join(parts) + "\n", problems, count


def main():
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    if not rest or END not in rest:
        raise SystemExit(f"{PAGE.relative_to(ROOT)} lacks the markers {BEGIN.strip()} and {END.strip()}")
    current, _, after = rest.partition(END)
    expected, problems, count = rendered()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(before + BEGIN + expected + END + after, encoding="utf-8")
        current = expected
    if current != expected:
        there, wanted = set(current.splitlines()), set(expected.splitlines())
        problems += [f"outdated: {line}" for line in sorted(there - wanted)]
        problems += [f"missing: {line}" for line in sorted(wanted - there)]
        problems.append("run UPDATE_DOCS=1 python3 scripts/tests/docs/code_map.py")
    for problem in problems:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if problems:
        raise SystemExit(1)
    if count < MODULES_MIN:
        raise SystemExit(f"only {count} modules: the check is broken")
    print(f"the code map has all {count} modules")


main()
