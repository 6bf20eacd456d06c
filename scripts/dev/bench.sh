#!/usr/bin/env bash
# Benchmarks the predictor in one run, so that all figures can be compared: fitting, compared with LightGBM and
# scikit-learn (the learners of the Python original) with the same sizes on the same simulated rounds and two threads
# each; a cold start; the time from an appended row to its forecast over HTTP; requests while idle and while a model is
# being fitted; memory.
#
#   scripts/dev/bench.sh [ROUNDS ...]       default: 1000 10000 100000 1000000
#
# Needs wrk, and creates a Python environment under target/bench. scikit-learn is skipped above 100,000 rounds, where
# it takes more than ten minutes. Takes about six minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac

sizes=("$@")
[ "${#sizes[@]}" -gt 0 ] || sizes=(1000 10000 100000 1000000)
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/bench
python=$work/python/bin/python
mkdir -p "$work"

if ! "$python" -c 'import lightgbm, numpy, sklearn' 2>/dev/null; then
  echo "Creating a Python environment for the comparison ..." >&2
  python3 -m venv "$work/python"
  "$python" -m pip install --quiet -r scripts/dev/bench/requirements.txt
fi
command -v wrk >/dev/null || { echo "wrk is not installed. On Debian or Ubuntu: sudo apt-get install wrk" >&2; exit 1; }
cargo build --quiet --release --locked -p rounds --example read_speed
cargo build --quiet --release --locked -p predictor -p forecasting --bin predictor \
  --example fit_speed --example write_dataset --example throughput --example cold_load

# seconds_of LEARNER: prints the seconds of a learner from the output of reference.py on stdin.
seconds_of() { "$python" -c 'import json,sys
for line in sys.stdin:
    entry = json.loads(line)
    if entry["learner"] == sys.argv[1]: print(entry["seconds"])' "$1"; }
ratio() { "$python" -c 'import sys; print(f"{float(sys.argv[1]) / float(sys.argv[2]):.1f}")' "$1" "$2"; }

echo "$(nproc) processors, $(date -u +%F), stream ar03; time to fit the three learners, in wall-clock seconds"
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
  reference=$("$python" scripts/dev/bench/reference.py "$dataset" "${skip[@]}")
  lightgbm=$(echo "$reference" | seconds_of lightgbm)
  scikit=$(echo "$reference" | seconds_of scikit-learn)
  echo "| $rounds | $ours | $lightgbm | ${scikit:--} | $(ratio "$lightgbm" "$ours") | ${scikit:+$(ratio "$scikit" "$ours")} | $peak |"
  rm -f "$dataset"
done

echo
echo "Reading 200 files:"
"$target/release/examples/read_speed" | head -n 1
echo
echo "A round through the engine, without fits:"
"$target/release/examples/throughput" 100000 | head -n 1
echo
echo "A cold start:"
"$target/release/examples/cold_load"
echo
"$python" scripts/dev/bench/latency.py "$target/release/predictor" notify 300
"$python" scripts/dev/bench/latency.py "$target/release/predictor" scan 20
echo
"$python" scripts/dev/bench/serving.py "$target/release/predictor" "${sizes[-1]}" 10
