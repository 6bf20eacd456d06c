#!/usr/bin/env python3
"""Checks every dependency against deny.toml (licences, banned crates, sources) and lists what the programs contain.

    scripts/release/supply_chain.py [FILE]      FILE: where to write the list (default: only check)

The list is a CycloneDX document. Dependencies of tests are checked too, but not listed. Needs cargo and Python 3.11.
"""

import json
import re
import subprocess
import sys
import tomllib

# The programs that are packed.
PROGRAMS = {"bridge", "collector", "predictor"}
# Prefix of the source of a package from a registry, as opposed to a repository or a path.
REGISTRY = "registry+"


def is_allowed(expression, allowed):
    """Returns whether an SPDX expression can be satisfied with the allowed licences."""
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
        # The project's own crates have no source.
        if not (package["source"] or REGISTRY).startswith(REGISTRY):
            yield f"{name} comes from {package['source']}"


def shipped(metadata):
    """Returns the dependencies of each package that is built into the programs, by id."""
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [member for member in metadata["workspace_members"] if names[member] in PROGRAMS]
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
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = sorted(metadata["packages"], key=lambda package: package["id"])
    with open("deny.toml", "rb") as file:
        found = list(problems(packages, tomllib.load(file)))
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        raise SystemExit(1)
    if len(sys.argv) > 1:
        ships = shipped(metadata)
        document = {
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "components": [component(package) for package in packages if package["id"] in ships],
            "dependencies": [{"ref": name, "dependsOn": needed} for name, needed in sorted(ships.items())],
        }
        root = metadata["workspace_root"]
        with open(sys.argv[1], "w") as file:
            # The list must not contain paths of this machine.
            file.write(json.dumps(document, indent=1).replace(f"file://{root}", "file:///") + "\n")
    print(f"{len(packages)} packages: every licence and source is allowed by deny.toml")


if __name__ == "__main__":
    # Run in the project's folder, wherever the script is called from.
    import os
    if len(sys.argv) > 1:
        sys.argv[1] = os.path.abspath(sys.argv[1])
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    main()
