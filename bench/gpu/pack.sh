#!/usr/bin/env bash
# Packs all that a bare GPU machine needs into one archive: the programs, the .NET and ASP.NET runtimes, OpenSSL, jobs with their data, and
# what these jobs give here. libtorch stays out: the machine's own is what is tried there.
# Usage: bench/gpu/pack.sh [--output FILE] [--level N] [--no-build]
#   --output FILE   default artifacts/gpu/dtrain-gpu.tar.xz
#   --level N       of xz, 0 to 9; default 6 (1 takes a sixth of the time for 6 MiB more)
#   --jobs PATTERN  only jobs of bench/gpu/jobs with such a name; default *
#   --no-build      the solution's Release outputs are there and up to date
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
output=$root/artifacts/gpu/dtrain-gpu.tar.xz level=6 jobs='*' build=true
# What may be copied to such a machine in addition to the checkout.
limit=$((56 * 1024 * 1024))

usage() { sed -n '/^# Usage/,/^set/s/^# //p' "$0"; }
while (($#)); do
  case $1 in
    --output) output=$(realpath -m "${2:?--output needs a file}"); shift 2 ;;
    --level) level=${2:?--level needs a number}; shift 2 ;;
    --jobs) jobs=${2:?--jobs needs a pattern}; shift 2 ;;
    --no-build) build=false; shift ;;
    --help) usage; exit 0 ;;
    *) echo "pack.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
  esac
done
[[ $level =~ ^[0-9]$ ]] || { echo "pack.sh: --level is '$level', expected 0 to 9" >&2; exit 2; }

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDTERMINALLOGGER=off MSBUILDDISABLENODEREUSE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pack=$work/dtrain-gpu
mkdir -p "$pack"

if $build; then dotnet build "$root/src/Client" -c Release -v quiet; fi
# Compiled at the start, for that machine, and half as large. In one process: a worker of the build can outlive it and keep the output open.
dotnet publish "$root/src/Silo" -m:1 -c Release --no-build -v quiet -p:CopyLibtorch=false -p:PublishReadyToRun=false -o "$pack/bin/silo"
dotnet publish "$root/bench/Distributed.Bench" -m:1 -c Release --no-build -v quiet -p:CopyLibtorch=false -p:PublishReadyToRun=false -o "$pack/bin/silo"
dotnet publish "$root/src/Client" -m:1 -c Release --no-build -v quiet -p:PublishReadyToRun=false -o "$pack/bin"
find "$pack/bin" -name '*.xml' -delete
if [ -n "$(find "$pack/bin" -name 'libtorch*' -print -quit)" ]; then echo "pack.sh: libtorch got into the archive" >&2; exit 1; fi

# The runtime that runs here and no other version, without what only debuggers and other collectors use.
runtime() { dotnet --list-runtimes | sed -n "s/^$1 \([^ ]*\) \[\(.*\)\]$/\2 \1/p" | sort -V -k2 | tail -n 1; }
mkdir -p "$pack/dotnet/shared"
for name in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
  read -r folder version < <(runtime "$name")
  mkdir -p "$pack/dotnet/shared/$name"
  cp -rL "$folder/$version" "$pack/dotnet/shared/$name/"
done
rm -f "$pack"/dotnet/shared/Microsoft.NETCore.App/*/{libmscordaccore,libmscordbi,libcoreclrtraceptprovider,libclrgc,libclrgcexp}.so
dotnet=$(dirname "$(dirname "$folder")")
mkdir -p "$pack/dotnet/host/fxr"
cp -rL "$dotnet/host/fxr/$version" "$pack/dotnet/host/fxr/"
for file in dotnet LICENSE.txt ThirdPartyNotices.txt; do cp -L "$dotnet/$file" "$pack/dotnet/"; done

# .NET's TLS needs OpenSSL 3; run.sh uses this one only where the machine has none.
mkdir -p "$pack/openssl"
for name in libssl.so.3 libcrypto.so.3; do
  cp -L "$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | sed -n "s/^\s*$name (libc6,x86-64) => //p" | head -n 1)" "$pack/openssl/"
done

cp "$here/run.sh" "$here/report.py" "$pack/"
mkdir "$pack/jobs"
cp "$here"/jobs/$jobs.yaml "$pack/jobs/"
cp "$root/docs/runbook.md" "$pack/jobs/text.txt"
python3 "$here/report.py" reviews "$pack/jobs/reviews"
git -C "$root" describe --always --dirty > "$pack/revision" 2> /dev/null || echo unknown > "$pack/revision"

# The same jobs with this checkout's libtorch: what another one is compared with.
mkdir "$pack/reference"
for job in "$pack"/jobs/*.yaml; do
  name=$(basename "$job" .yaml)
  DOTNET_ROOT=$pack/dotnet DTRAIN_LIBTORCH=$root/artifacts/bin/Silo/release/libtorch \
    "$pack/bin/dtrain" train "$job" --ranks 2 --json --out "$work/run-$name" > "$pack/reference/$name.jsonl" 2> "$work/$name.err" ||
    { echo "pack.sh: the reference run of $name failed:" >&2; cat "$work/$name.err" >&2; exit 1; }
done
cp "$work/run-$name/environment.json" "$pack/reference/environment.json"

mkdir -p "$(dirname "$output")"
tar -C "$work" -I "xz -T0 -$level" -cf "$output.part" dtrain-gpu
size=$(stat -c %s "$output.part")
if ((size > limit)); then echo "pack.sh: the archive has $size bytes, and $limit can travel; use a higher --level" >&2; exit 1; fi
mv "$output.part" "$output"
echo "$output: $((size / 1024 / 1024)) MiB, $(sha256sum "$output" | cut -d ' ' -f 1)"
