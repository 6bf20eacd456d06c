#!/usr/bin/env python3
"""Everything the programs are made of: holds it to deny.toml (licences, banned crates, sources), needing nothing but
cargo and Python 3.11, and writes what ships down as a CycloneDX document. What only tests need is held to it as well,
but is not in the list.

    scripts/supply_chain.py [FILE]      FILE: where to write the list; without it only the checks are made
"""

import json
import re
import subprocess
import sys
import tomllib

# What is packed.
PROGRAMS = {"bridge", "collector", "predictor"}
# How cargo names what comes from a registry, and not from a repository or a path.
REGISTRY = "registry+"


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met with licences of the list."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either():
        met = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one():
        token = tokens.pop(0)
        if token == "(":
            met = either()
            tokens.pop(0)
            return met
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return token in allowed

    return either()


def problems(packages, policy):
    allowed = set(policy["licenses"]["allow"])
    banned = {entry["crate"] for entry in policy["bans"]["deny"]}
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if not package["license"] or not is_allowed(package["license"], allowed):
            yield f"{name}: licence {package['license']} is not in deny.toml"
        if package["name"] in banned:
            yield f"{name} is banned"
        # Ours have no source.
        if not (package["source"] or REGISTRY).startswith(REGISTRY):
            yield f"{name} comes from {package['source']}"


def shipped(told):
    """The nodes of the programs and of all they are built from, by their ids."""
    names = {package["id"]: package["name"] for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    waiting = [member for member in told["workspace_members"] if names[member] in PROGRAMS]
    found = {}
    while waiting:
        node = nodes[waiting.pop()]
        if node["id"] in found:
            continue
        needed = [each["pkg"] for each in node["deps"] if any(kind["kind"] != "dev" for kind in each["dep_kinds"])]
        found[node["id"]] = sorted(needed)
        waiting.extend(needed)
    return found


def component(package):
    url = f"pkg:cargo/{package['name']}@{package['version']}"
    return {
        "type": "application" if package["name"] in PROGRAMS else "library", "bom-ref": package["id"],
        "name": package["name"], "version": package["version"],
        "purl": url, "licenses": [{"expression": package["license"].replace("/", " OR ")}],
    }


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = sorted(told["packages"], key=lambda package: package["id"])
    with open("deny.toml", "rb") as file:
        found = list(problems(packages, tomllib.load(file)))
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        raise SystemExit(1)
    if len(sys.argv) > 1:
        ships = shipped(told)
        document = {
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "components": [component(package) for package in packages if package["id"] in ships],
            "dependencies": [{"ref": name, "dependsOn": needed} for name, needed in sorted(ships.items())],
        }
        root = told["workspace_root"]
        with open(sys.argv[1], "w") as file:
            # No path of this machine.
            file.write(json.dumps(document, indent=1).replace(f"file://{root}", "file:///") + "\n")
    print(f"{len(packages)} packages, every licence and source as deny.toml wants them")


if __name__ == "__main__":
    # The project's folder, wherever this is called from.
    import os
    if len(sys.argv) > 1:
        sys.argv[1] = os.path.abspath(sys.argv[1])
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    main()
