#!/usr/bin/env bash
# Rewrites the parts of docs/ that are generated from the code (options, code map, layers, log messages), then checks all of docs/.
# What the checks still report, such as a message without a meaning or a dead link, has to be written by hand.
#
#   scripts/update_docs.sh
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac

export UPDATE_DOCS=1
failed=0
cargo test --quiet --locked -p collector -p predictor -p bridge --test it options_page || failed=1
for check in code_map layers log_messages alerts api_page quotes links; do
  python3 "scripts/tests/docs/$check.py" || failed=1
done
exit "$failed"
