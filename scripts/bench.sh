#!/usr/bin/env bash
# One table: our fit beside LightGBM and scikit-learn (the learners of the Python original) of the
# same sizes, on the same generated rounds, one after the other in one run, two threads each.
#
#   scripts/bench.sh [ROUNDS ...]       default: 1000 10000 100000 1000000
#
# Makes its own Python environment under target/bench. scikit-learn is left out above 100,000 rounds, where
# it takes more than ten minutes. Compare inside one run only.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac

sizes=("$@")
[ "${#sizes[@]}" -gt 0 ] || sizes=(1000 10000 100000 1000000)
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/bench
python=$work/python/bin/python
mkdir -p "$work"

if ! "$python" -c 'import lightgbm, numpy, sklearn' 2>/dev/null; then
  echo "Making a Python environment for the comparison ..." >&2
  python3 -m venv "$work/python"
  "$python" -m pip install --quiet -r scripts/bench/requirements.txt
fi
cargo build --quiet --release --locked -p predictor --example fit_speed --example write_dataset

# The seconds of one learner's line in the reference's output.
seconds_of() { "$python" -c 'import json,sys
for line in sys.stdin:
    entry = json.loads(line)
    if entry["learner"] == sys.argv[1]: print(entry["seconds"])' "$1"; }
ratio() { "$python" -c 'import sys; print(f"{float(sys.argv[1]) / float(sys.argv[2]):.1f}")' "$1" "$2"; }

echo "$(nproc) processors, $(date -u +%F), stream ar03, fit of the three learners in wall-clock seconds"
echo
echo "| rounds | ours | LightGBM | scikit-learn | LightGBM / ours | scikit-learn / ours | our peak MB |"
echo "|--:|--:|--:|--:|--:|--:|--:|"
for rounds in "${sizes[@]}"; do
  dataset=$work/dataset.bin
  "$target/release/examples/write_dataset" "$rounds" ar03 "$dataset"
  line=$("$target/release/examples/fit_speed" "$rounds" ar03 --threads 2 | tail -n 1)
  ours=$(echo "$line" | awk -F'|' '{gsub(/ /, "", $4); print $4}')
  peak=$(echo "$line" | awk -F'|' '{gsub(/ /, "", $(NF - 1)); print $(NF - 1)}')
  skip=()
  [ "$rounds" -le 100000 ] || skip=(--skip-scikit)
  reference=$("$python" scripts/bench/reference.py "$dataset" "${skip[@]}")
  lightgbm=$(echo "$reference" | seconds_of lightgbm)
  scikit=$(echo "$reference" | seconds_of scikit-learn)
  echo "| $rounds | $ours | $lightgbm | ${scikit:--} | $(ratio "$lightgbm" "$ours") | ${scikit:+$(ratio "$scikit" "$ours")} | $peak |"
  rm -f "$dataset"
done
