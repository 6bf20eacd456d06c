#!/usr/bin/env python3
"""Checks the walls between the crates: what each may depend on, and which sources are pure. walls.toml lists them.

    scripts/dev/walls.py [ROOT]      ROOT: the project (default: this one)

Also rejects unfinished code, `#[ignore]`, `#[allow]`, modules called utils and the like, and examples of the same name.

Exit status: 0 if every wall holds, 1 if one is broken, 2 if something could not be checked: a listed crate or path does
not exist, a crate has no wall, or cargo fails.
"""

import collections
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tomllib

import rust_source

ROOT = pathlib.Path(__file__).resolve().parents[2]
WALLS = "scripts/dev/walls.toml"
UNFINISHED = re.compile(r"#!?\s*\[\s*(?:ignore|allow)\b|\b(?:todo|unimplemented)\s*!\s*[(\[{]")
KEYS = {"forbids", "no_dependencies", "planned", "was", "features_off"}


class CannotCheck(Exception):
    """A wall cannot be checked, which must not count as holding."""


def cargo(root, *arguments):
    command = ["cargo", *arguments, "--locked"]
    try:
        run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotCheck(f"cargo cannot be run: {error}") from error
    if run.returncode != 0:
        raise CannotCheck(f"`{' '.join(command)}` failed:\n{run.stderr.strip()}")
    return run.stdout


def members(root):
    """Returns the features that each member of the workspace declares, by name."""
    metadata = json.loads(cargo(root, "metadata", "--format-version", "1", "--no-deps"))
    found = {package["name"]: set(package["features"]) for package in metadata["packages"]}
    if not found:
        raise CannotCheck("the workspace has no members")
    return found


def dependencies(root, crate):
    """Returns the features of every direct and indirect dependency of a crate on any system, by name."""
    tree = cargo(root, "tree", "-p", crate, "-e", "normal", "--target", "all", "--prefix", "none", "--format", "{p}|{f}")
    found = collections.defaultdict(set)
    for line in filter(None, tree.splitlines()):
        package, _, features = line.partition("|")
        found[package.split()[0]].update(filter(None, features.removesuffix(" (*)").split(",")))
    if crate not in found:
        raise CannotCheck(f"`cargo tree` does not know the crate {crate}")
    del found[crate]
    return found


def named_crates(walls, known):
    """Returns the wall of each member, by its current name."""
    found = {}
    for name, wall in walls["crates"].items():
        if unknown := set(wall) - KEYS:
            raise CannotCheck(f"{WALLS}: crate {name} has unknown keys: {', '.join(sorted(unknown))}")
        present = next((each for each in (name, wall.get("was")) if each in known), None)
        if present:
            found[present] = wall
        elif not wall.get("planned"):
            raise CannotCheck(f"{WALLS} lists the crate {name}, which is not in the workspace")
    if missing := sorted(known - found.keys()):
        raise CannotCheck(f"no wall for: {', '.join(missing)}; add it to {WALLS}")
    return found


def broken_by_dependencies(root, walls):
    declared = members(root)
    for crate, wall in named_crates(walls, declared.keys()).items():
        found = dependencies(root, crate)
        if wall.get("no_dependencies") and found:
            yield f"{crate} has dependencies: {', '.join(sorted(found))}"
        for group in wall.get("forbids", []):
            if group not in walls["groups"]:
                raise CannotCheck(f"{WALLS}: there is no group {group!r}")
            for name in sorted(found):
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in walls["groups"][group]):
                    yield f"{crate} depends on {name} ({group})"
        for name, features in wall.get("features_off", {}).items():
            for feature in features:
                if feature not in declared.get(name, ()):
                    raise CannotCheck(f"{name} declares no feature {feature}, which {WALLS} keeps from {crate}")
                if feature in found.get(name, ()):
                    yield f"{crate} switches on the feature {feature} of {name}"


def rust_files(place):
    """Returns the sources at a path, without tests."""
    files = [place] if place.is_file() else sorted(place.rglob("*.rs"))
    return [file for file in files if file.name != "tests.rs" and "tests" not in file.relative_to(place.parent).parts]


def pure_places(root, walls):
    """Yields each path whose code must be pure, and the words forbidden only there."""
    for entry in walls["pure"]:
        for paths in entry["alternatives"]:
            there = [(root / path).exists() for path in paths]
            if all(there):
                yield from ((root / path, entry.get("words", [])) for path in paths)
                break
            if any(there):
                missing = ", ".join(path for path, is_there in zip(paths, there) if not is_there)
                raise CannotCheck(f"{WALLS} lists paths that do not exist: {missing}")
        else:
            raise CannotCheck(f"{WALLS} lists paths that do not exist: {', '.join(entry['alternatives'][0])}")


def mentions(code):
    """Yields every path that product code mentions, with its offset; trees of `use` are expanded."""
    trees, rest = rust_source.use_trees(code)
    for path, at, _ in trees:
        yield "::".join(filter(None, path)), at
    for match in rust_source.PATH.finditer(rest):
        yield re.sub(r"\s", "", match[0]), match.start()


def broken_by_sources(root, walls):
    for place, more in pure_places(root, walls):
        words = re.compile(r"\b(?:" + "|".join(map(re.escape, walls["impure"]["words"] + more)) + r")\b")
        files = rust_files(place)
        if not files:
            raise CannotCheck(f"{place} contains no Rust source")
        for file in files:
            _, code = rust_source.product_code(file)
            found = {(rust_source.line_of(code, match.start()), match[0]) for match in words.finditer(code)}
            for path, at in mentions(code):
                if any(f"{path}::".startswith(f"{impure}::") for impure in walls["impure"]["paths"]):
                    found.add((rust_source.line_of(code, at), path))
            for line, what in sorted(found):
                yield f"{file.relative_to(root)}:{line}: pure code mentions {what}"


def broken_by_habits(root, walls):
    files = sorted(file for crate in (root / "crates").iterdir() for folder in ("src", "tests", "examples", "benches")
                   for file in (crate / folder).rglob("*.rs"))
    if not files:
        raise CannotCheck("crates/ contains no Rust source")
    for file in files:
        code = rust_source.blank(rust_source.read(file))
        for match in UNFINISHED.finditer(code):
            yield f"{file.relative_to(root)}:{rust_source.line_of(code, match.start())}: {match[0]}"
        if "src" in file.relative_to(root).parts and set(walls["names"]["forbidden"]) & {file.stem, file.parent.name}:
            yield f"{file.relative_to(root)}: a module of this name does not say what belongs in it"
    names = collections.Counter(file.name for file in root.glob("crates/*/examples/*.rs"))
    for name in sorted(name for name, count in names.items() if count > 1):
        yield f"two crates have an example called {name}, and cargo builds both to one path"


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    try:
        walls = tomllib.loads(rust_source.read(root / WALLS))
        broken = [*broken_by_habits(root, walls), *broken_by_sources(root, walls), *broken_by_dependencies(root, walls)]
    except (CannotCheck, rust_source.SourceError, OSError, KeyError, ValueError) as error:
        print(f"cannot check the walls: {error}", file=sys.stderr)
        return 2
    for each in broken:
        print(f"wall broken: {each}", file=sys.stderr)
    if not broken:
        print("all walls hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
