#!/usr/bin/env python3
"""Fails when modules of a crate import each other in a cycle, or against the order of its layers.

    scripts/dev/module_cycles.py [ROOT]              check the crates of ROOT (default: this project)
    scripts/dev/module_cycles.py --suggest CRATE     print the order that CRATE's imports allow today

Only product code counts, not tests. Imports between a module and one inside it do not count either, because parents and
children use each other. module_order.toml lists the top-level modules of a crate in layers, top first; a module may
import only from lower layers. A crate whose table has `enforce = true` must list every top-level module.

Exit status: 0 without a cycle or an import against the order, 1 with one, 2 if something could not be checked.
"""

import argparse
import collections
import pathlib
import sys
import tomllib

import rust_source

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORDER = "scripts/dev/module_order.toml"


def is_related(one, other):
    """Returns whether one module is inside the other, or is the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def crates(root):
    """Yields the name and the root files of every crate; a crate without sources is an error."""
    folders = sorted(path for path in (root / "crates").glob("*") if path.is_dir())
    if not folders:
        raise rust_source.SourceError(f"{root}: no crates in crates/")
    for folder in folders:
        roots = [folder / "src" / name for name in ("lib.rs", "main.rs") if (folder / "src" / name).is_file()]
        if not roots:
            raise rust_source.SourceError(f"{folder}: neither src/lib.rs nor src/main.rs")
        yield folder.name, roots + sorted((folder / "src" / "bin").glob("*.rs"))


def graph(imports):
    """Returns the imports by (module, module), without those between a module and one inside it."""
    edges = collections.defaultdict(list)
    for found in imports:
        if not is_related(found.source, found.target):
            edges[found.source, found.target].append(found)
    return edges


def components(nodes, edges):
    """Returns the strongly connected components with more than one node (Tarjan, without recursion)."""
    following = collections.defaultdict(list)
    for source, target in edges:
        following[source].append(target)
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for start in nodes:
        if start in index:
            continue
        work = [(start, iter(following[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(following[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = stack[stack.index(node):]
                    del stack[len(stack) - len(part):]
                    on_stack.difference_update(part)
                    if len(part) > 1:
                        found.append(sorted(part))
    return found


def position(root, found):
    return f"{found.file.relative_to(root)}:{found.line}"


def report_cycles(root, crate, edges):
    """Prints each cycle of a crate with the imports that form it; returns their count."""
    nodes = sorted({node for edge in edges for node in edge})
    found = components(nodes, edges)
    for part in found:
        print(f"{crate}: a cycle of {len(part)} modules: {' '.join(map(rust_source.name_of, part))}")
        for source in part:
            for target in part:
                for each in edges.get((source, target), [])[:1]:
                    print(f"  {rust_source.name_of(source)} imports {rust_source.name_of(target)} at {position(root, each)}")
    return len(found)


def ranks(crate, table):
    """Returns the rank of each listed module, 0 for the top."""
    found = {}
    for rank, layer in enumerate(table["layers"]):
        for name in layer:
            if name in found:
                raise rust_source.SourceError(f"{ORDER}: {crate}: {name} is listed twice")
            found[name] = rank
    return found


def report_order(root, crate, modules, edges, table):
    """Prints each import against the order, and each module that is not listed or not there; returns their count."""
    rank, count = ranks(crate, table), 0
    names = {path[0] for path in modules if path}
    for name in sorted(names - rank.keys()):
        count += 1
        print(f"{crate}: module {name} has no place in the order; add it to {ORDER}")
    for name in sorted(rank.keys() - names):
        count += 1
        print(f"{crate}: {ORDER} lists module {name}, which does not exist")
    for (source, target), found in sorted(edges.items()):
        if not source or not target or not {source[0], target[0]} <= rank.keys():
            continue
        if rank[source[0]] >= rank[target[0]] and source[0] != target[0]:
            for each in found:
                count += 1
                print(f"{position(root, each)}: {crate}: {rust_source.name_of(source)} imports "
                      f"{rust_source.name_of(target)}, which is not below it")
    return count


def read_order(root):
    file = root / ORDER
    if not file.is_file():
        raise rust_source.SourceError(f"{file}: missing")
    with open(file, "rb") as opened:
        try:
            order = tomllib.load(opened)
        except tomllib.TOMLDecodeError as error:
            raise rust_source.SourceError(f"{file}: {error}") from error
    for crate, table in order.items():
        if set(table) != {"enforce", "layers"}:
            raise rust_source.SourceError(f"{file}: {crate} needs the keys `enforce` and `layers`, and no others")
    return order


def check(root):
    order, cycles, against, seen = read_order(root), 0, 0, set()
    for crate, roots in crates(root):
        seen.add(crate)
        for file in roots:
            modules = rust_source.modules(file)
            edges = graph(rust_source.imports(modules))
            cycles += report_cycles(root, crate, edges)
            if file.name == "lib.rs" and order.get(crate, {}).get("enforce"):
                against += report_order(root, crate, modules, edges, order[crate])
    for crate in sorted(order.keys() - seen):
        if order[crate]["enforce"]:
            raise rust_source.SourceError(f"{ORDER}: there is no crate {crate}")
    free = sorted(crate for crate in seen if not order.get(crate, {}).get("enforce"))
    if free:
        print(f"the order of modules is not enforced in: {', '.join(free)}")
    print(f"{count(len(seen), 'crate')}, {count(cycles, 'cycle')}, {count(against, 'violation')} of the order")
    return 1 if cycles or against else 0


def count(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def suggest(root, crate):
    """Prints the layers that today's imports allow; modules of one cycle share a layer."""
    lib = root / "crates" / crate / "src" / "lib.rs"
    if not lib.is_file():
        raise rust_source.SourceError(f"{lib}: missing")
    modules = rust_source.modules(lib)
    names = sorted({path[0] for path in modules if path})
    edges = {(found.source[0], found.target[0]) for found in rust_source.imports(modules)
             if found.source and found.target and found.source[0] != found.target[0]}
    group = {name: (name,) for name in names}
    for part in components(names, edges):
        group.update({name: tuple(part) for name in part})
    height = {}

    def height_of(part):
        if part not in height:
            below = {group[target] for source, target in edges if group[source] == part and group[target] != part}
            height[part] = 1 + max(map(height_of, below), default=-1)
        return height[part]

    layers = collections.defaultdict(list)
    for name in names:
        layers[height_of(group[name])].append(name)
    print(f"[{crate}]\nenforce = true\nlayers = [")
    for level in sorted(layers, reverse=True):
        print("    [" + ", ".join(f'"{name}"' for name in layers[level]) + "],")
    print("]")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("root", nargs="?", default=ROOT, type=pathlib.Path, help="the project (default: this one)")
    parser.add_argument("--suggest", metavar="CRATE", help="print the order that a crate's imports allow today")
    options = parser.parse_args()
    root = options.root.resolve()
    try:
        return suggest(root, options.suggest) if options.suggest else check(root)
    except (rust_source.SourceError, OSError) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
