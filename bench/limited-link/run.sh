#!/usr/bin/env bash
# Trains an mlp on two silos in two network namespaces with a capped link between them, with overlap and without, and compares each step
# with the schedule that its buckets allow. The cap is chosen so that compute and wire take about equally long.
# Usage: bench/limited-link/run.sh [BIN]   (as root; expects ip, tc, redis-server and python3; BIN defaults to artifacts/bin)
# STEPS, MICRO_BATCH and SIZES change the job; RATE (bits per second) sets the cap.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${1:-$here/../../artifacts/bin}
dtrain=$bin/Client/release/dtrain silo=$bin/Silo/release/dtrain-silo
steps=${STEPS:-12} batch=${MICRO_BATCH:-1024} sizes=${SIZES:-784,2048,2048,10}
a=dtrain-a-$$ b=dtrain-b-$$ out=$(mktemp -d)
processes=()
finish() {
  for process in "${processes[@]}"; do kill -9 "$process" 2>/dev/null || true; done
  wait
  ip netns del "$a" || true
  ip netns del "$b" || true
  rm -rf "$out"
} 2>/dev/null
trap finish EXIT

ip netns add "$a"
ip netns add "$b"
ip link add "dta$$" netns "$a" type veth peer name "dtb$$" netns "$b"
ip -n "$a" addr add 10.77.0.1/24 dev "dta$$"
ip -n "$b" addr add 10.77.0.2/24 dev "dtb$$"
for space in "$a" "$b"; do ip -n "$space" link set lo up; done
ip -n "$a" link set "dta$$" up
ip -n "$b" link set "dtb$$" up
cap() {
  tc -n "$a" qdisc replace dev "dta$$" root tbf rate "$1" burst 256kb latency 50ms
  tc -n "$b" qdisc replace dev "dtb$$" root tbf rate "$1" burst 256kb latency 50ms
}

(umask 077 && head -c 24 /dev/urandom | base64 >"$out/token")
mkdir "$out/data" "$out/jobs"
python3 "$here/report.py" data "$out/data/data.safetensors" "$batch" "${sizes%%,*}" "${sizes##*,}"
"$dtrain" certs "$out/tls" --host 10.77.0.1 --host 10.77.0.2 >/dev/null 2>&1
echo 10.77.0.1:6379 >"$out/store"
ip netns exec "$a" redis-server --bind 10.77.0.1 --protected-mode no --save '' --dir "$out" >/dev/null &
processes+=($!)
export DTRAIN_CLUSTERING=redis DTRAIN_STORE_FILE=$out/store DTRAIN_SLOTS=1 DTRAIN_DATA_ROOT=$out/data DTRAIN_JOBS_ROOT=$out/jobs
tls=(DTRAIN_TLS_CERT="$out/tls/endpoint.crt" DTRAIN_TLS_KEY="$out/tls/endpoint.key" DTRAIN_SILO_CERT="$out/tls/silo.crt" DTRAIN_SILO_KEY="$out/tls/silo.key" DTRAIN_SILO_CA="$out/tls/ca.crt")
serve() {
  env "${tls[@]}" DTRAIN_TOKEN_FILE="$out/token" DTRAIN_SILO_NAME="silo-$2" DTRAIN_ADDRESS="10.77.0.$((1 + $2))" \
    ip netns exec "$1" "$silo" serve >"$out/ready-$2" 2>"$out/silo-$2.log" &
  processes+=($!)
  for _ in $(seq 300); do
    [ -s "$out/ready-$2" ] && return
    sleep 0.2
  done
  cat "$out/silo-$2.log" >&2
  return 1
}
serve "$a" 0
serve "$b" 1

cat >"$out/job.yaml" <<JOB
name: limited-link
model: { name: mlp, sizes: [$sizes] }
data: { name: tensors, path: data.safetensors }
globalBatch: $((2 * batch))
microBatch: $batch
steps: $steps
workers: { min: 2, max: 2 }
JOB
train() {
  ip netns exec "$a" "$dtrain" submit "$out/job.yaml" --id "$1" --set "workers.overlap=$2" --wait --json --cluster https://10.77.0.1:5010 \
    --token-file "$out/token" --ca "$out/tls/ca.crt" >"$out/$1.jsonl"
}
if [ -z "${RATE:-}" ]; then
  train free false
  RATE=$(python3 "$here/report.py" rate "$out/free.jsonl")
fi
cap "${RATE}bit"
train off false
train on true
python3 "$here/report.py" compare "$RATE" "$out/off.jsonl" "$out/on.jsonl"
