#!/usr/bin/env python3
"""Checks that docs/explanation/architecture.md shows the layers of scripts/dev/module_order.toml. UPDATE_DOCS=1 rewrites
its table."""

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/explanation/architecture.md"
ORDER = ROOT / "scripts/dev/module_order.toml"
HEAD = "| crate | layers, top to bottom |\n|---|---|\n"


def rendered():
    with ORDER.open("rb") as file:
        crates = tomllib.load(file)
    layers = lambda crate: " → ".join(", ".join(layer) for layer in crate["layers"])
    return "".join(f"| `{name}` | {layers(crate)} |\n" for name, crate in crates.items())


def main():
    text = PAGE.read_text(encoding="utf-8")
    before, head, rest = text.partition(HEAD)
    if not head:
        raise SystemExit(f"{PAGE.relative_to(ROOT)} lacks the table {HEAD.splitlines()[0]}")
    current, blank, after = rest.partition("\n\n")
    expected = rendered()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(before + HEAD + expected + "\n" + after, encoding="utf-8")
    elif current + "\n" != expected:
        raise SystemExit(
            f"{PAGE.relative_to(ROOT)}: the layers are not those of {ORDER.relative_to(ROOT)}: "
            "run UPDATE_DOCS=1 python3 scripts/tests/docs/layers.py"
        )
    print("the architecture page shows the layers of every crate")


main()
