#!/usr/bin/env bash
# Builds the three programs for release and packs them: a tar.gz for any Linux like this one, a .deb where cargo-deb is
# there, and SHA256SUMS of both. The same sources give the same bytes in any folder.
#
#   scripts/package.sh [DIR]      where to put them (default dist in the target directory)
#
# AVIATOR_NO_BUILD=1   pack what is built already
# CARGO_TARGET_DIR     where to build (default target)
# SOURCE_DATE_EPOCH    the time of the files inside (default that of the last commit)
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
out=${1:-$target/dist}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
triple=$(rustc -vV | sed -n 's/^host: //p')
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export CARGO_INCREMENTAL=0
# No path of this machine in the programs.
export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$root=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"

[ -n "${AVIATOR_NO_BUILD:-}" ] || cargo build --release --locked -p collector -p predictor -p bridge

# What the programs say about themselves.
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
  cp scripts/systemd/* "$folder/systemd/"
  cp scripts/monitoring/* "$folder/monitoring/"
  cp scripts/nats/*.conf "$folder/nats/"
  cp README.md CHANGELOG.md LICENSE-* "$folder/"
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go-w,a+rX \
    -C "$made" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
}
pack_archive

if cargo deb --version >/dev/null 2>&1; then
  # By itself it keeps the tables that tell the lines of a backtrace: 170 MB more when installed.
  cargo deb --no-build --strip -p predictor --output "$out/"
else
  echo "no .deb: cargo-deb is not there (cargo install --locked cargo-deb)" >&2
fi

# What they are made of.
python3 scripts/supply_chain.py "$out/aviator-$version.cdx.json"

cd "$out"
sha256sum aviator[-_]* | tee SHA256SUMS
