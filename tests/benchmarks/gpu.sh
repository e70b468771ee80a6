#!/bin/sh
# Everything that wants a GPU, in one go and under 8 minutes: the `gpu` tests, then epochs, memory, bandwidth and the
# profile of a step at the paper's three sizes, and steps with compiled parts beside plain ones. Needs Python, torch,
# torch-geometric, numpy, pandas, scipy, safetensors; pytest and triton if there are. Without CUDA it runs on the CPU at
# toy sizes.
#
#     sh tests/benchmarks/gpu.sh [folder for the tables, default reports/results/benchmarks]
set -eu
cd "$(dirname "$0")/../.."
out=${1:-reports/results/benchmarks}
python=${PYTHON:-python3}
export PYTHONPATH="$PWD"
if "$python" -c "import pytest" 2>/dev/null; then
  timeout 150 "$python" -m pytest -q -p no:cacheprovider -m gpu tests || [ $? -eq 5 ]  # 5: no such test was found
else
  echo "pytest is not installed here: the gpu tests were not run"
fi
timeout 320 "$python" tests/benchmarks/bench_gpu.py \
  --out "$out/gpu.csv" --profile "$out/gpu_profile.txt" --compiled "$out/gpu_compiled.csv"
