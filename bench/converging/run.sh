#!/usr/bin/env bash
# Trains CIFAR-10 and IMDB in float32 and mixed_bfloat16 over three seeds and prints one line per run.
# Usage: bench/converging/run.sh [DTRAIN]   (from the checkout's root; expects ../shared/data)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dtrain=${1:-$here/../../artifacts/bin/Client/release/dtrain}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for job in ${JOBS:-cifar10 imdb}; do
  for precision in float32 mixed_bfloat16; do
    for seed in 1 2 3; do
      run="$out/$job-$precision-$seed"
      "$dtrain" train "$here/$job.yaml" --set precision="$precision" --set seed="$seed" --out "$run" --json >"$run.jsonl" 2>/dev/null
      accuracy=$(grep '"event":"eval"' "$run.jsonl" | tail -n 1 | grep -oE '"accuracy":[0-9.]+' | cut -d: -f2)
      seconds=$(grep '"event":"completed"' "$run.jsonl" | grep -oE '"seconds":[0-9.]+' | cut -d: -f2)
      hash=$(grep '"event":"completed"' "$run.jsonl" | grep -oE '"weightsSha256":"[0-9a-f]{12}' | cut -d'"' -f4)
      echo "$job $precision seed=$seed accuracy=$accuracy seconds=$seconds weights=$hash"
    done
  done
done
