"""Reads Rust sources as text: modules, imports and paths of product code.

Parses enough of the grammar for the checks beside this file, without a compiler: blanks out comments, strings and items
under `#[cfg(test)]`, follows `mod` declarations (`#[path]` included), and expands trees of `use`.
"""

import dataclasses
import pathlib
import re

RAW_STRING = re.compile(r'(?:b|c)?r(#*)"')
STRING = re.compile(r'(?:b|c)?"')
CHAR = re.compile(r"b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F_]+\}|.)|[^\\'])'", re.S)
ATTRIBUTE = re.compile(r"#\s*\[")
ITEM = re.compile(r"(?:pub|mod|use|fn|struct|enum|union|impl|trait|const|static|type|unsafe|async|extern|macro_rules)\b")
MOD = re.compile(r"\bmod\s+(?:r#)?(\w+)\s*([;{])")
USE = re.compile(r"\buse\b")
PATH = re.compile(r"(?<![\w:])((?:r#)?[A-Za-z_]\w*)((?:\s*::\s*(?:r#)?[A-Za-z_]\w*)+)")


class SourceError(Exception):
    """A source cannot be read or parsed; the check must then fail."""


def blank(text):
    """Returns the text with comments, strings and characters replaced by spaces, which keeps offsets and lines."""
    out, at = list(text), 0

    def erase(start, end):
        for index in range(start, end):
            if out[index] != "\n":
                out[index] = " "

    while at < len(text):
        char, word_before = text[at], at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_")
        end = at + 1
        if text.startswith("//", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            erase(at, end)
        elif text.startswith("/*", at):
            end = end_of_comment(text, at)
            erase(at, end)
        elif not word_before and (raw := RAW_STRING.match(text, at)):
            close = text.find('"' + raw[1], raw.end())
            if close < 0:
                raise SourceError("a raw string has no end")
            end = close + 1 + len(raw[1])
            erase(at, end)
        elif (not word_before or char == '"') and (string := STRING.match(text, at)):
            end = end_of_string(text, string.end())
            erase(at, end)
        elif (char == "'" or not word_before) and (literal := CHAR.match(text, at)):
            end = literal.end()
            erase(at, end)
        at = end
    return "".join(out)


def end_of_comment(text, start):
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise SourceError("a comment has no end")


def end_of_string(text, at):
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        else:
            at += 1
    raise SourceError("a string has no end")


def closing(code, start):
    """Returns the offset after the bracket that closes the one at `start`."""
    pairs, stack = {"(": ")", "[": "]", "{": "}"}, []
    for at in range(start, len(code)):
        if code[at] in pairs:
            stack.append(pairs[code[at]])
        elif code[at] in ")]}":
            if not stack or stack.pop() != code[at]:
                raise SourceError(f"line {line_of(code, at)}: unbalanced {code[at]}")
            if not stack:
                return at + 1
    raise SourceError(f"line {line_of(code, start)}: {code[start]} is never closed")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def is_test_only(attribute):
    """Returns whether an attribute restricts the next item to tests: `cfg(test)` or `cfg(all(test, …))`."""
    text = re.sub(r"\s", "", attribute)
    return text == "test" or re.match(r"cfg\((?:test|all\((?:.*,)?test(?:,.*)?\))\)$", text) is not None


def without_tests(code):
    """Returns code from `blank` with every item under `#[cfg(test)]` blanked too."""
    out, at = code, 0
    while found := ATTRIBUTE.search(out, at):
        at = closing(out, found.end() - 1)
        if is_test_only(out[found.end():at - 1]):
            end = end_of_item(out, at)
            out = out[:found.start()] + re.sub(r"[^\n]", " ", out[found.start():end]) + out[end:]
            at = end
    return out


def end_of_item(code, at):
    """Returns the offset after the item, field, arm or statement that begins at `at`, including attributes."""
    while attribute := re.compile(r"\s*#\s*\[").match(code, at):
        at = closing(code, attribute.end() - 1)
    at = re.compile(r"\s*").match(code, at).end()
    visibility = re.compile(r"pub(?:\s*\([^)]*\))?\s+").match(code, at)
    begin = visibility.end() if visibility else at
    is_item = ITEM.match(code, begin) is not None
    is_use = re.compile(r"use\b").match(code, begin) is not None
    while at < len(code):
        char = code[at]
        if char in "([" or (char == "{" and is_use):
            at = closing(code, at)
        elif char == "{":
            return closing(code, at)
        elif char == ";" or (char == "," and not is_item):
            return at + 1
        elif char == "}":
            return at
        else:
            at += 1
    return at


def leaves(tree, offset=0, prefix=()):
    """Yields (path, offset, name in scope or None) for each leaf of a tree of `use`; the path of a glob ends with `*`."""
    at = 0
    while at < len(tree):
        part, at, start = split_part(tree, at)
        skipped = len(part) - len(part.lstrip())
        yield from leaf(part.strip(), offset + start + skipped, prefix)


def split_part(tree, at):
    """Returns the part up to the next comma outside braces, the offset after the comma, and the offset of the part."""
    depth, start = 0, at
    while at < len(tree) and (depth or tree[at] != ","):
        depth += (tree[at] == "{") - (tree[at] == "}")
        at += 1
    return tree[start:at], at + 1, start


def leaf(part, offset, prefix):
    if not part:
        return
    brace = part.find("{")
    head = part if brace < 0 else part[:brace]
    head, _, alias = (re.sub(r"\s+", " ", head)).partition(" as ")
    names = tuple(name.strip().removeprefix("r#") for name in head.split("::") if name.strip())
    if not prefix and head.strip().startswith("::"):
        names = ("",) + names
    path = prefix + names
    if brace >= 0:
        yield from leaves(part[brace + 1:part.rindex("}")], offset + brace + 1, path)
        return
    if path and path[-1] == "self" and len(path) > 1:
        path = path[:-1]
    name = alias.strip() or (path[-1] if path[-1] != "*" else None)
    yield path, offset, name


@dataclasses.dataclass
class Module:
    """A module of product code: its path in the crate, its file, and its code."""

    path: tuple
    file: pathlib.Path
    code: str  # blanked, without tests and without the modules inside it


def read(file):
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: cannot be read: {error}") from error


def product_code(file):
    """Returns the text of a file, and the text with comments, strings and tests blanked."""
    text = read(file)
    try:
        return text, without_tests(blank(text))
    except SourceError as error:
        raise SourceError(f"{file}: {error}") from error


def modules(root):
    """Returns the modules of product code reachable from a crate's `lib.rs` or `main.rs`, by path.

    A path has several modules if `cfg` chooses among them, for example by operating system.
    """
    found = {}
    add_file(found, root, (), root.parent)
    return found


def add_file(found, file, path, folder):
    text, code = product_code(file)
    add(found, Module(path, file, code), text, folder)


def add(found, module, text, folder):
    """Adds a module and those inside it; `folder` contains the files of its child modules."""
    found.setdefault(module.path, []).append(module)
    inside = []
    at = 0
    while declared := MOD.search(module.code, at):
        path = module.path + (declared[1],)
        own = attribute_path(text, module.code, declared.start())
        if declared[2] == ";":
            at = declared.end()
            file, below = file_of(module, declared[1], own, folder)
            add_file(found, file, path, below)
        else:
            at = closing(module.code, declared.end() - 1)
            inside.append((path, declared.end(), at - 1))
    code = module.code
    for path, start, end in inside:
        # Blank the text around it, which keeps offsets and lines.
        own = re.sub(r"[^\n]", " ", code[:start]) + code[start:end]
        add(found, Module(path, module.file, own), text, folder / path[-1])
        module.code = module.code[:start] + re.sub(r"[^\n]", " ", code[start:end]) + module.code[end:]


def attribute_path(text, code, at):
    """Returns the value of `#[path = "…"]` among the attributes before the declaration at `at`."""
    before = re.search(r"((?:#\s*\[[^\]]*\]\s*)*)(?:pub(?:\s*\([^)]*\))?\s+)?$", code[:at])
    value = re.search(r'\[\s*path\s*=\s*"([^"]*)"', text[before.start():at])
    return value[1] if value else None


def file_of(module, name, own, folder):
    """Returns the file of a declared module, and the folder of its child modules."""
    if own is not None:
        file = module.file.parent / own
        if not file.is_file():
            raise SourceError(f"{module.file}: `#[path]` of module {name} names no file: {file}")
        return file, file.parent
    for file in (folder / f"{name}.rs", folder / name / "mod.rs"):
        if file.is_file():
            return file, folder / name
    raise SourceError(f"{module.file}: module {name} has no file; expected {folder / name}.rs")


def name_of(path):
    return "::".join(path) or "the crate root"


@dataclasses.dataclass(frozen=True)
class Import:
    """A mention of another module: its position and the module that it names."""

    file: pathlib.Path
    line: int
    source: tuple
    target: tuple


def imports(found):
    """Yields an import for each path in a crate's modules that names another module of the crate."""
    for module in (module for alternatives in found.values() for module in alternatives):
        trees, rest = use_trees(module.code)
        scope = {}
        for path, at, name in trees:
            target, is_whole = resolve(path, module.path, found, {})
            if target is None:
                continue
            if is_whole and name:
                scope[name] = target
            yield Import(module.file, line_of(module.code, at), module.path, target)
        for match in PATH.finditer(rest):
            names = [name.strip().removeprefix("r#") for name in (match[1] + match[2]).split("::")]
            target, _ = resolve(tuple(names), module.path, found, scope)
            if target is not None:
                yield Import(module.file, line_of(module.code, match.start()), module.path, target)


def use_trees(code):
    """Returns the leaves of every `use` in blanked code, and the code without them."""
    trees, rest = [], code
    for use in USE.finditer(code):
        end = code.find(";", use.end())
        # `use` in a bound such as `impl Trait + use<'a>` imports nothing.
        if end < 0 or code[use.end():use.end() + 1] not in (" ", "\n", ":", "{"):
            continue
        trees.extend(leaves(code[use.end():end], use.end()))
        rest = rest[:use.start()] + re.sub(r"[^\n]", " ", rest[use.start():end]) + rest[end:]
    return trees, rest


def resolve(path, here, known, scope):
    """Returns the deepest module that a path names, or None for a path of another crate, and whether the whole path
    names that module."""
    base, rest = here, list(path)
    if rest[0] == "crate":
        base, rest = (), rest[1:]
    elif rest[0] == "self":
        rest = rest[1:]
    elif rest[0] == "super":
        while rest and rest[0] == "super":
            base, rest = base[:-1], rest[1:]
    elif rest[0] in scope:
        base, rest = scope[rest[0]], rest[1:]
    elif here + (rest[0],) not in known:
        return None, False
    while rest and base + (rest[0],) in known:
        base, rest = base + (rest[0],), rest[1:]
    return base, not rest
