#!/usr/bin/env bash
# Builds the collector and the predictor and starts both, each in its own window where there is a desktop or tmux,
# otherwise together in this terminal with prefixed lines.
#
#   scripts/start_parallel.sh [collector flags]
#
# Without flags the collector simulates provably fair rounds. All flags are passed to the collector:
#   scripts/start_parallel.sh --source browser --cdp http://127.0.0.1:9222
#   scripts/start_parallel.sh --pattern memory      simulated rounds with a pattern to find
#
# AVIATOR_WINDOWS=auto|none|tmux|desktop   where to show the two programs (default auto)
# AVIATOR_LISTEN=127.0.0.1:5001            where the dashboard listens
# CARGO_TARGET_DIR, AVIATOR_BUILD_PROFILE  where and how to build (default release)
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
  *) echo "AVIATOR_WINDOWS is '$windows'; it must be auto, none, tmux or desktop" >&2; exit 2 ;;
esac
