#!/usr/bin/env bash
# Builds the three programs for release and packs them: a tar.gz for this platform, a .deb if cargo-deb is installed, a
# list of components, and SHA256SUMS. The same sources give the same bytes in any folder.
#
#   scripts/release/package.sh [DIR]      output directory (default: dist in the target directory)
#
# AVIATOR_NO_BUILD=1   pack the existing build
# CARGO_TARGET_DIR     where to build (default target)
# SOURCE_DATE_EPOCH    timestamp of the packed files (default: the last commit)
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
out=${1:-$target/dist}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
triple=$(rustc -vV | sed -n 's/^host: //p')
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export CARGO_INCREMENTAL=0
# The programs must not contain paths of this machine.
export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$root=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"

[ -n "${AVIATOR_NO_BUILD:-}" ] || cargo build --release --locked -p collector -p predictor -p bridge

# Manual pages and completions.
made=$target/release/package
rm -rf "$made"
mkdir -p "$made"/man "$made"/completions/{bash,zsh,fish}
for program in collector predictor bridge; do
  run=$target/release/$program
  "$run" man --dir "$made/man"
  "$run" completions bash >"$made/completions/bash/$program"
  "$run" completions zsh >"$made/completions/zsh/_$program"
  "$run" completions fish >"$made/completions/fish/$program.fish"
done
gzip -9n "$made"/man/*.1

mkdir -p "$out"
rm -f "$out"/aviator[-_]* "$out/SHA256SUMS"
pack_archive() {
  local name=aviator-$version-$triple
  local folder=$made/$name
  mkdir -p "$folder"/{bin,systemd,monitoring,nats}
  install -m 755 "$target"/release/{collector,predictor,bridge} "$folder/bin/"
  strip "$folder/bin/"*
  cp -r "$made/man" "$made/completions" "$folder/"
  cp -r docs "$folder/docs"
  cp scripts/ops/systemd/* "$folder/systemd/"
  cp scripts/ops/monitoring/* "$folder/monitoring/"
  cp scripts/ops/nats/*.conf "$folder/nats/"
  cp README.md CHANGELOG.md LICENSE-* "$folder/"
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go-w,a+rX \
    -C "$made" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
}
pack_archive

if cargo deb --version >/dev/null 2>&1; then
  # Without --strip the package contains the line tables for backtraces: 170 MB more when installed.
  cargo deb --no-build --strip -p predictor --output "$out/"
else
  echo "No .deb: cargo-deb is missing. Install it with: cargo install --locked cargo-deb" >&2
fi

# The components of the programs.
python3 scripts/release/supply_chain.py "$out/aviator-$version.cdx.json"

cd "$out"
sha256sum aviator[-_]* | tee SHA256SUMS
