#!/usr/bin/env bash
# Rewrites the parts of docs/ that are generated from the code, then checks all of them: options, code map, log messages.
# What the checks still name (a message without a meaning, a dead link) is yours to fill in.
set -uo pipefail
cd "$(dirname "$0")/.."
export UPDATE_DOCS=1
failed=0
cargo test --quiet --locked -p collector -p predictor -p bridge --test it options_page || failed=1
for check in code_map log_messages links; do
  python3 "scripts/tests/docs/$check.py" || failed=1
done
exit "$failed"
