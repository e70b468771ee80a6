#!/bin/sh
# Everything that wants a GPU, in one go and under 8 minutes: epochs, memory, bandwidth and the profile of a step at the
# paper's three sizes, steps with compiled parts beside plain ones, then the `gpu` tests. Needs Python, torch,
# torch-geometric, numpy, pandas, scipy, safetensors; pytest and triton if there are. Without CUDA it runs on the CPU at
# toy sizes. Ends with 1 if the measurement or a test failed; each is done whatever becomes of the other.
#
#     sh tests/benchmarks/gpu.sh [folder for the tables, default reports/results/benchmarks [arguments of bench_gpu.py]]
#     TESTS=folder sh tests/benchmarks/gpu.sh           the `gpu` tests of another folder than `tests`
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${1:-reports/results/benchmarks}
[ $# -eq 0 ] || shift
python=${PYTHON:-python3}
export PYTHONPATH="$PWD"
failed=0
timeout 320 "$python" tests/benchmarks/bench_gpu.py \
  --out "$out/gpu.csv" --profile "$out/gpu_profile.txt" --compiled "$out/gpu_compiled.csv" "$@" || failed=1
if "$python" -c "import pytest" 2>/dev/null; then
  # A file that needs what is not installed here is left out, and the script then ends with 1; 5: no such test was found.
  timeout 150 "$python" -m pytest -q -p no:cacheprovider -m gpu --continue-on-collection-errors "${TESTS:-tests}" ||
    [ $? -eq 5 ] || failed=1
else
  echo "pytest is not installed here: the gpu tests were not run"
fi
exit $failed
