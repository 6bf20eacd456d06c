#!/usr/bin/env bash
# Checks the dependencies with cargo-deny (licences, bans and sources, by deny.toml) and cargo-machete (unused ones).
# Installs the versions below into target/tools if they are missing. Security advisories need a separate database and
# are not checked here: run `cargo deny check advisories`.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools
deny=0.20.2
machete=0.9.2

# Build without optimisation: the tools run for seconds only, and every new machine has to compile them.
install_tool() { # TOOL VERSION
  [ "$("$tools/bin/$1" --version 2>/dev/null | awk '{ print $NF }')" = "$2" ] ||
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$tools/build cargo install -q --locked --debug --root "$tools" --version "$2" "$1"
}
install_tool cargo-machete "$machete"
"$tools/bin/cargo-machete"
install_tool cargo-deny "$deny"
rm -rf "$tools/build"
# Duplicate versions are only warnings; `cargo deny check bans` shows them.
"$tools/bin/cargo-deny" --log-level error --locked check licenses bans sources
