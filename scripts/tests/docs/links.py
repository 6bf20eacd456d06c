#!/usr/bin/env python3
"""Checks every relative link and anchor of every Markdown file, every path of a source or script that a page names, every
mention of a file under docs/ in the sources, and that docs/README.md leads to every page."""

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[3]
SKIPPED = {"target", "node_modules", "__pycache__"}
# Finding fewer than these means that the check itself is broken.
PAGES_MIN, LINKS_MIN, MENTIONS_MIN = 20, 100, 20

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
INLINE = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]*(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+\"[^\"]*\")?\s*\)")
HTML = re.compile(r"<(?:img|a)\b[^>]*?\b(?:src|href)=\"([^\"]+)\"", re.IGNORECASE)
DEFINITION = re.compile(r"^ {0,3}\[([^\]]+)\]:\s*(\S+)", re.MULTILINE)
REFERENCE = re.compile(r"\[[^\[\]]+\]\[([^\[\]]+)\]")
MENTION = re.compile(r"(?<![\w./-])(?:\./|\.\./|/usr/share/doc/aviator/)*docs/[\w./-]*\w\.(?:md|json|toml|png)(?:#[\w-]+)?")
NAMED = re.compile(r"(?<![\w/.-])((?:crates|scripts|\.ci|\.cargo)/[\w./{},*-]*[\w}*])")
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)


def files():
    for folder, names, found in os.walk(ROOT):
        names[:] = [it for it in names if it not in SKIPPED and it != ".git"]
        yield from (Path(folder) / it for it in found)


def blanked(match):
    """Blanks code, which contains no links, and keeps its line breaks, and so the line numbers."""
    return re.sub(r"[^\n]", " ", match.group())


def anchors(text):
    """Returns the anchors of a page as GitHub derives them from its headings."""
    seen, found = {}, set()
    for heading in HEADING.findall(FENCE.sub(blanked, text)):
        heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(slug if count == 0 else f"{slug}-{count}")
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def expanded(place):
    """Expands `a/{b,c}.rs` to `a/b.rs` and `a/c.rs`."""
    braces = re.search(r"\{([^{}]*)\}", place)
    if not braces:
        return [place]
    return [place[:braces.start()] + it + place[braces.end():] for it in braces.group(1).split(",")]


class Links:
    def __init__(self):
        self.problems, self.links, self.mentions = [], 0, 0
        self.anchors, self.leads_to = {}, {}

    def report(self, path, line, problem):
        self.problems.append(f"{path.relative_to(ROOT)}:{line}: {problem}")

    def target(self, path, line, link):
        """Checks one link of a page."""
        self.links += 1
        if re.match(r"[a-z][a-z0-9+.-]*:", link, re.IGNORECASE):
            return
        place, _, anchor = unquote(link).partition("#")
        if place.startswith("/"):
            return self.report(path, line, f"{link} is not relative")
        to = Path(os.path.normpath(path.parent / place)) if place else path
        if not to.exists() or not to.is_relative_to(ROOT):
            return self.report(path, line, f"{link} does not exist")
        self.leads_to.setdefault(path, set()).add(to)
        self.anchor(path, line, to, anchor, link)

    def anchor(self, path, line, to, anchor, link):
        if not anchor:
            return
        if to.suffix != ".md":
            return self.report(path, line, f"{link} has an anchor but is not a page")
        if to not in self.anchors:
            self.anchors[to] = anchors(to.read_text(encoding="utf-8"))
        if anchor not in self.anchors[to]:
            self.report(path, line, f"{link}: there is no such heading")

    def page(self, path):
        text = FENCE.sub(blanked, path.read_text(encoding="utf-8"))
        # The text of a link may be code, and code may look like a link.
        bare = CODE.sub(lambda it: re.sub(r"[^\n]", "x", it.group()), text)
        definitions = {name.lower(): it for name, it in DEFINITION.findall(bare)}
        found = [(it.start(), it.group(1)) for pattern in (INLINE, HTML) for it in pattern.finditer(bare)]
        found += [(it.start(), it.group(2)) for it in DEFINITION.finditer(bare)]
        for start, link in found:
            self.target(path, bare.count("\n", 0, start) + 1, link)
        for it in REFERENCE.finditer(bare):
            if it.group(1).lower() not in definitions:
                self.report(path, bare.count("\n", 0, it.start()) + 1, f"[{it.group(1)}] is not defined")

    def named(self, path):
        """Checks the paths of sources and scripts that a page names; NAME and XX are placeholders."""
        text = path.read_text(encoding="utf-8")
        for it in NAMED.finditer(text):
            for place in expanded(it.group(1)):
                if not re.search(r"NAME|XX|\*", place) and not (ROOT / place).exists():
                    self.report(path, text.count("\n", 0, it.start()) + 1, f"{place} does not exist")

    def source(self, path):
        """Checks each path below docs/ that a source or a script mentions."""
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            return
        for it in MENTION.finditer(text):
            self.mentions += 1
            line = text.count("\n", 0, it.start()) + 1
            place, _, anchor = it.group()[it.group().index("docs/"):].partition("#")
            if not (ROOT / place).exists():
                self.report(path, line, f"{place} does not exist")
            else:
                self.anchor(path, line, ROOT / place, anchor, it.group())

    def unreachable(self, pages):
        """Returns the pages that cannot be reached from docs/README.md."""
        reached, waiting = set(), [ROOT / "docs/README.md"]
        while waiting:
            page = waiting.pop()
            if page not in reached:
                reached.add(page)
                waiting += [it for it in self.leads_to.get(page, ()) if it.suffix == ".md"]
        return [it for it in pages if it.is_relative_to(ROOT / "docs") and it not in reached]


def main():
    links = Links()
    every = sorted(files())
    pages = [path for path in every if path.suffix == ".md"]
    for path in every:
        if path.suffix == ".md":
            links.page(path)
            links.named(path)
        elif path != Path(__file__).resolve():
            links.source(path)
    for page in links.unreachable(pages):
        links.report(page, 1, "docs/README.md does not lead to this page")
    for problem in links.problems:
        print(problem, file=sys.stderr)
    if links.problems:
        raise SystemExit(1)
    if len(pages) < PAGES_MIN or links.links < LINKS_MIN or links.mentions < MENTIONS_MIN:
        raise SystemExit(f"only {len(pages)} pages, {links.links} links, {links.mentions} mentions: the check is broken")
    print(f"{links.links} links in {len(pages)} pages resolve, and {links.mentions} mentions of docs/ in the sources")


main()
