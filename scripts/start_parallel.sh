#!/usr/bin/env bash
# Builds what is needed and starts the collector and the predictor side by side, each in a window of its
# own where there is a desktop or tmux, else both in this terminal with prefixed lines.
#
#   scripts/start_parallel.sh [collector flags]
#
# Without flags the collector makes provably-fair demo rounds. Everything given is passed to the collector:
#   scripts/start_parallel.sh --source browser --cdp http://127.0.0.1:9222
#
# AVIATOR_WINDOWS=auto|none|tmux|desktop   where to show the two programs (default auto)
# AVIATOR_LISTEN=127.0.0.1:5001            where the dashboard listens
# CARGO_TARGET_DIR, AVIATOR_BUILD_PROFILE        where and how to build (default release)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

case "${1:-}" in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

# shellcheck source=scripts/lib/parallel.sh
. "$root/scripts/lib/parallel.sh"

build_programs
choose_data_dir "$@"

windows=${AVIATOR_WINDOWS:-auto}
[ "$windows" != auto ] || windows=$(detect_windows)

case "$windows" in
  tmux) start_in_tmux ;;
  desktop) start_in_terminals ;;
  none) exec "$root/scripts/run_parallel.sh" "$@" ;;
  *) echo "AVIATOR_WINDOWS is '$windows'; use auto, none, tmux or desktop" >&2; exit 2 ;;
esac
