#!/usr/bin/env bash
# Tries the programs of the archive that pack.sh makes on this machine, with the libtorch that is here. Needs bash, tar, xz and python3; no
# network and no .NET. Every step has a time limit of its own, and what was found is written after each, so a run that is cut short leaves what it has.
# Usage: run.sh --out DIR [--archive FILE] [--libtorch DIR] [--ranks N] [--patience N]
#   --out DIR       results: log.txt (all that the steps said), results.json, report.md
#   --archive FILE  the archive to unpack first; without it this script is in an unpacked one
#   --libtorch DIR  default: DTRAIN_LIBTORCH, else the libraries of the torch that python3 would import
#   --ranks N       ranks of the trainings; default 2
#   --patience N    multiplies the time limit of each step, for a machine that others use too; default 1
# Exit code 0 when every step ran as it should, 1 otherwise.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
archive='' out='' libtorch=${DTRAIN_LIBTORCH:-} ranks=2 patience=1

usage() { sed -n '/^# Usage/,/^set/s/^# //p' "$0"; }
while (($#)); do
  case $1 in
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    --archive) archive=${2:?--archive needs a file}; shift 2 ;;
    --libtorch) libtorch=${2:?--libtorch needs a folder}; shift 2 ;;
    --ranks) ranks=${2:?--ranks needs a number}; shift 2 ;;
    --patience) patience=${2:?--patience needs a whole number}; shift 2 ;;
    --help) usage; exit 0 ;;
    *) echo "run.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
  esac
done
[[ $patience =~ ^[1-9][0-9]*$ ]] || { echo "run.sh: --patience is '$patience', expected a whole number from 1" >&2; exit 2; }
[ -n "$out" ] || { echo "run.sh: --out is missing" >&2; usage >&2; exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2

work=$(mktemp -d)
if [ -n "$archive" ]; then
  # python3 unpacks where tar finds no xz.
  { tar -C "$work" -xJf "$archive" || python3 -m tarfile -e "$archive" "$work"; } 2> "$out/log.txt" || { cat "$out/log.txt" >&2; exit 1; }
  bash "$work/dtrain-gpu/run.sh" --out "$out" --ranks "$ranks" --patience "$patience" ${libtorch:+--libtorch "$libtorch"}
  code=$?
  rm -rf "$work"
  exit $code
fi
trap 'rm -rf "$work"' EXIT
[ -x "$here/bin/dtrain" ] || { echo "run.sh: no bin/dtrain next to it: name the archive with --archive, or unpack it" >&2; exit 2; }

find_libtorch() {
  python3 - <<'PYTHON' 2> /dev/null
import importlib.util, os
print(os.path.join(os.path.dirname(importlib.util.find_spec("torch").origin), "lib"))
PYTHON
}
[ -n "$libtorch" ] || libtorch=$(find_libtorch)
export DTRAIN_LIBTORCH=$libtorch DOTNET_ROOT=$here/dotnet DOTNET_CLI_TELEMETRY_OPTOUT=1
unset DTRAIN_SILO
if ! PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2> /dev/null | grep -q 'libssl\.so\.3'; then export LD_LIBRARY_PATH=$here/openssl${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}; fi

failed=0
: > "$out/log.txt"
# step NAME SECONDS COMMAND...: stdout and stderr go into the log, stdout also into NAME.out for the report.
step() {
  local name=$1 limit=$(($2 * patience)) begin=$EPOCHREALTIME code
  shift 2
  { echo; echo "== $name: $*"; } >> "$out/log.txt"
  timeout -k 5 "$limit" "$@" > "$work/$name.out" 2> "$work/$name.err"
  code=$?
  cat "$work/$name.out" "$work/$name.err" >> "$out/log.txt"
  printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$code" "$begin" "$EPOCHREALTIME" "$limit" >> "$work/steps.tsv"
  python3 "$here/report.py" report "$work" "$here" "$out" 2>> "$out/log.txt" || echo "run.sh: no report: see log.txt" >&2
  ((code == 0)) && echo "$name: ok" || echo "$name: exit code $code"
  return $code
}
# For steps without which the others still tell something, and that may fail on a machine of another kind.
note() { step "$@" || true; }
must() { step "$@" || failed=1; }

machine() {
  uname -srm
  grep -h PRETTY_NAME /etc/os-release
  grep -m 1 'model name' /proc/cpuinfo
  echo "cores: $(nproc)"
  grep MemTotal /proc/meminfo
  getconf GNU_LIBC_VERSION
  echo "libtorch: $DTRAIN_LIBTORCH"
  cat "$(dirname "$DTRAIN_LIBTORCH")/version.py" 2> /dev/null | grep -E '^(__version__|cuda|git_version)'
  echo "archive: $(cat "$here/revision")"
}
export -f machine
export here

note machine 10 bash -c machine
note nvidia-smi 20 nvidia-smi
note gpus 20 nvidia-smi --query-gpu=name,memory.total,driver_version,compute_cap,power.limit --format=csv
must symbols 60 "$here/bin/silo/dtrain-silo" symbols
must doctor 90 env DTRAIN_TRACE=native "$here/bin/dtrain" doctor --json
for job in "$here"/jobs/*.yaml; do
  name=$(basename "$job" .yaml)
  must "train-$name" 60 "$here/bin/dtrain" train "$job" --ranks "$ranks" --json --out "$work/run-$name"
done
echo "results: $out"
exit $failed
