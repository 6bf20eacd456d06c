#!/usr/bin/env bash
# The real judges of what the programs are made of: cargo-deny (licences, bans, sources, by deny.toml) and cargo-machete
# (dependencies that nothing uses). Installs the versions below into target/tools where they are missing.
# Advisories are left out: they need a database from beyond the registry. `cargo deny check advisories` asks it.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools
deny=0.20.2
machete=0.9.2

# Built without optimising: they run for seconds, and are compiled on every fresh machine.
need() { # TOOL VERSION
  [ "$("$tools/bin/$1" --version 2>/dev/null | awk '{ print $NF }')" = "$2" ] ||
    CARGO_TARGET_DIR=$tools/build cargo install -q --locked --debug --root "$tools" --version "$2" "$1"
}
need cargo-machete "$machete"
"$tools/bin/cargo-machete"
need cargo-deny "$deny"
# What is there in two versions is a warning, and left to `cargo deny check bans`.
"$tools/bin/cargo-deny" --log-level error --locked check licenses bans sources
