#!/usr/bin/env python3
"""Checks that docs/reference/log-messages.md lists every message that a program logs at INFO, WARN or ERROR, with its
fields, and says what each of them means.

UPDATE_DOCS=1 rewrites the tables: a new message gets an empty meaning, and a reworded one takes over the meaning of the
most similar removed message, which is printed so that somebody rereads it."""

import difflib
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts/dev"))
import rust_source  # noqa: E402

PAGE = ROOT / "docs/reference/log-messages.md"
BEGIN, END = "<!-- messages: UPDATE_DOCS=1 python3 scripts/tests/docs/log_messages.py -->\n", "<!-- end of the messages -->\n"
# Finding fewer than this means that the check itself is broken.
MESSAGES_MIN = 60
# A message at least this similar to a removed one counts as the same message reworded.
SIMILAR = 0.55
# Comments before an argument.
COMMENT = re.compile(r"^\s*(?://[^\n]*\n\s*)+")
MACRO = re.compile(r"\b(?:tracing::)?(info|warn|error)!\s*\(")
LEVELS = {"error": "ERROR", "warn": "WARN", "info": "INFO"}
LITERAL = re.compile(r'^(?:r(?P<hashes>#*)"(?P<raw>.*)"(?P=hashes)|"(?P<text>(?:[^"\\]|\\.)*)")$', re.DOTALL)


def arguments(text, code, start, end):
    """Returns the arguments of a macro from `text`; `code` is the same with strings and comments blanked."""
    parts, at = [start], start
    while at < end:
        if code[at] in "([{":
            at = rust_source.closing(code, at)
        elif code[at] == ",":
            parts.append(at + 1)
            at += 1
        else:
            at += 1
    slices = [text[begin:after] for begin, after in zip(parts, [it - 1 for it in parts[1:]] + [end])]
    return [it for it in (COMMENT.sub("", it).strip() for it in slices) if it]


def words(literal):
    """Returns the text of a string literal, or None for anything else."""
    match = LITERAL.match(literal)
    if not match:
        return None
    if match.group("raw") is not None:
        return match.group("raw")
    text = re.sub(r"\\\n\s*", "", match.group("text"))
    return re.sub(r'\\(["\\])', r"\1", text)


def field(argument):
    name = re.match(r'^(?:"([^"]+)"|([\w.]+))\s*=(?!=)', argument)
    return (name.group(1) or name.group(2)) if name else argument.lstrip("%?&")


def messages(path):
    """Yields (level, message, fields) for every call in a file."""
    text, code = rust_source.product_code(path)
    if re.search(r"\bevent!\s*\(", code):
        raise SystemExit(f"{path.relative_to(ROOT)}: use info!, warn! or error!, which this check reads")
    for macro in MACRO.finditer(code):
        fields = []
        for argument in arguments(text, code, macro.end(), rust_source.closing(code, macro.end() - 1) - 1):
            if re.match(r"^(target|parent|name):", argument):
                continue
            message = words(argument)
            if message is not None:
                yield macro.group(1), " ".join(message.split()), fields
                break
            fields.append(field(argument))
        else:
            raise SystemExit(f"{path.relative_to(ROOT)}: {macro.group()}…) has no literal message")


def logged():
    """Returns {crate: {(level, message): fields}} of the product code."""
    found = {}
    for path in sorted(ROOT.glob("crates/*/src/**/*.rs")):
        crate = path.relative_to(ROOT).parts[1]
        if path.name == "tests.rs" or "tests" in path.parts:
            continue
        for level, message, fields in messages(path):
            known = found.setdefault(crate, {}).setdefault((LEVELS[level], message), [])
            known += [it for it in fields if it not in known]
    return found


def cells(line):
    parts = re.split(r"(?<!\\)\|", line.strip()[1:-1])
    return [part.strip().replace("\\|", "|") for part in parts]


def listed(tables):
    """Returns {crate: {(level, message): (fields, meaning, what to do)}} of the page."""
    found, crate = {}, ""
    for line in tables.splitlines():
        if line.startswith("## "):
            crate = line[3:].strip().strip("`")
            found[crate] = {}
        elif line.startswith("| ") and not line.startswith("| level "):
            level, message, fields, meaning, action = cells(line)
            found[crate][level, message.strip("`").strip()] = (fields, meaning, action)
    return found


def fields_text(fields):
    return ", ".join(f"`{it}`" for it in fields)


def order(entry):
    return list(LEVELS.values()).index(entry[0]), entry[1].lower()


def resembling(entry, gone):
    """Returns the removed message that is most similar to `entry`, or None if none is similar enough."""
    rate = lambda it: difflib.SequenceMatcher(None, it[1].lower(), entry[1].lower()).ratio()
    best = max((it for it in gone), key=rate, default=None)
    return best if best and rate(best) >= SIMILAR else None


def updated(found, page):
    out = []
    for crate in sorted(found):
        known = dict(page.get(crate, {}))
        gone = {it for it in known if it not in found[crate]}
        out.append(f"\n## `{crate}`\n\n| level | message | fields | means | do |\n|---|---|---|---|---|\n")
        for entry in sorted(found[crate], key=order):
            if entry not in known and (old := resembling(entry, gone)):
                gone.discard(old)
                known[entry] = known[old]
                print(f"{crate}: “{entry[1]}” takes over the meaning of “{old[1]}”")
            _, meaning, action = known.get(entry, ("", "", ""))
            row = [entry[0], f"`{entry[1]}`", fields_text(found[crate][entry]), meaning, action]
            out.append("| " + " | ".join(it.replace("|", "\\|") for it in row) + " |\n")
        for entry in sorted(gone, key=order):
            print(f"{crate}: “{entry[1]}” was removed, with its meaning: {known[entry][1]} / {known[entry][2]}")
    return "".join(out) + "\n"


def problems(found, page):
    for crate in sorted(found.keys() | page.keys()):
        here, there = found.get(crate, {}), page.get(crate, {})
        for entry in sorted(here.keys() - there.keys(), key=order):
            yield f"{crate}: {entry[0]} “{entry[1]}” is missing"
        for entry in sorted(there.keys() - here.keys(), key=order):
            yield f"{crate}: {entry[0]} “{entry[1]}” is no longer logged"
        for entry in sorted(here.keys() & there.keys(), key=order):
            fields, meaning, action = there[entry]
            if fields != fields_text(here[entry]):
                yield f"{crate}: “{entry[1]}” has the fields {fields_text(here[entry]) or 'none'}"
            if not meaning or (entry[0] != "INFO" and not action):
                yield f"{crate}: {entry[0]} “{entry[1]}” is not explained"


def main():
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    if END not in rest:
        raise SystemExit(f"{PAGE.relative_to(ROOT)} lacks the markers {BEGIN.strip()} and {END.strip()}")
    tables, _, after = rest.partition(END)
    found = logged()
    if os.environ.get("UPDATE_DOCS"):
        tables = updated(found, listed(tables))
        PAGE.write_text(before + BEGIN + tables + END + after, encoding="utf-8")
    wrong = list(problems(found, listed(tables)))
    for problem in wrong:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if wrong:
        raise SystemExit("UPDATE_DOCS=1 python3 scripts/tests/docs/log_messages.py lists new messages; fill in the rest")
    count = sum(len(it) for it in found.values())
    if count < MESSAGES_MIN:
        raise SystemExit(f"only {count} messages: the check is broken")
    print(f"all {count} messages of the log are explained")


main()
