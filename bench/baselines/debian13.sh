#!/usr/bin/env bash
# Installs PyTorch, OpenBLAS and OpenMPI of Debian 13 in a folder of their own, to compare with: the newest that come as ordinary
# packages. The machine itself stays as it is. Prints what to give 'dtrain bench allreduce' and 'dtrain bench scaling'.
# Usage: bench/baselines/debian13.sh [DIR]   (as root; expects debootstrap; DIR defaults to /var/lib/dtrain-debian13)
# MIRROR chooses another mirror than http://deb.debian.org/debian. It takes some minutes and 2 GB of disk. A second run with
# the same DIR keeps what is installed. To remove all of it, delete DIR.
set -euo pipefail
dir=${1:-/var/lib/dtrain-debian13} mirror=${MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
packages=(python3-torch libopenblas0-pthread openmpi-bin libopenmpi-dev gcc libc6-dev)
die() {
  echo "debian13.sh: $*" >&2
  exit 1
}

case $dir in -* | '') die "found '$dir' for DIR, expected a folder; usage: debian13.sh [DIR]" ;; esac
[ "$(id -u)" = 0 ] || die "run it as root: debootstrap unpacks files of other owners"
command -v debootstrap >/dev/null || die "debootstrap is not installed; on Debian and Ubuntu: apt-get install debootstrap"
[ -e "$keys" ] || die "$keys is missing, with which packages are checked; on Debian and Ubuntu: apt-get install debian-archive-keyring"
mkdir -p "$dir" && dir=$(cd "$dir" && pwd)

# All that is mounted below is gone when this process ends.
if [ -z "${DTRAIN_OWN_MOUNTS:-}" ]; then DTRAIN_OWN_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$dir"; fi

# A run that was cut short leaves new-root, which the next one begins again.
if [ ! -e "$dir/root" ]; then
  new=$dir/new-root
  rm -rf --one-file-system "$new"
  debootstrap --variant=minbase --keyring="$keys" trixie "$new" "$mirror" >&2 ||
    die "debootstrap failed; $new/debootstrap/debootstrap.log says more"
  mountpoint -q "$new/proc" || mount -t proc proc "$new/proc"
  mount --rbind /dev "$new/dev"
  cp -L /etc/resolv.conf "$new/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d" && chmod +x "$new/usr/sbin/policy-rc.d"
  inside() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      ${http_proxy:+http_proxy="$http_proxy"} chroot "$new" "$@"
  }
  inside apt-get update -qq >&2
  inside apt-get install -qq -y --no-install-recommends "${packages[@]}" >&2
  inside apt-get clean
  umount -l "$new/dev" "$new/proc"
  mv "$new" "$dir/root"
fi

# One script for all three programs: it runs the one that it is called as.
cat >"$dir/python" <<'WRAPPER'
#!/usr/bin/env bash
# Runs a program of the Debian next to this file. All folders of this machine but those of its system are where they are, this one's too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) name=${0##*/}
[ "$name" != python ] || name=python3
root=$here/root
if [ ! -L "$root/usr/bin/$name" ] && [ ! -x "$root/usr/bin/$name" ]; then
  echo "$0: $root/usr/bin/$name is missing; delete $root and run bench/baselines/debian13.sh $here again" >&2
  exit 127
fi
own=()
[ "$(id -u)" = 0 ] || own=(--user --map-root-user)
exec unshare "${own[@]}" --mount --propagation private bash -c '
  root=$1 name=$2 from=$PWD
  shift 2
  for folder in /*; do
    case $folder in /usr | /bin | /sbin | /lib* | /etc | /var | /boot | /lost+found) continue ;; esac
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    mkdir -p "$root$folder" && mount --rbind "$folder" "$root$folder" || exit 127
  done
  [ -d "$root$from" ] || from=/
  unset LD_LIBRARY_PATH LD_PRELOAD PYTHONHOME PYTHONPATH
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
  exec chroot "$root" /usr/bin/env -C "$from" "$name" "$@"' bash "$root" "$name" "$@"
WRAPPER
chmod +x "$dir/python"
ln -sf python "$dir/mpicc"
ln -sf python "$dir/mpirun"

"$dir/python" -c 'import torch, torch.distributed as d; assert d.is_gloo_available(); print(f"PyTorch {torch.__version__} with gloo")' ||
  die "the Python in $dir does not work; delete $dir and try again"
echo "to compare with it:    export DTRAIN_PYTHON=$dir/python"
echo "and with its OpenMPI:  export PATH=$dir:\$PATH"
