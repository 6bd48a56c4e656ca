"""What the PyTorch baselines share: one thread per rank, where ranks meet, and which PyTorch this is.

usage: python3 baseline.py      prints the last as a JSON line; fails where torch or gloo is missing
"""
import contextlib
import ctypes
import json
import os
import re
import tempfile

# OpenBLAS with threads of its own does not heed torch.set_num_threads: it reads these when it is loaded, before torch is.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
# Everything stays on this machine, whatever its name resolves to.
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")

import torch
import torch.distributed as dist


def join(rank, ranks, meeting):
    """Joins the ranks that were given the same meeting, with one thread."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)


@contextlib.contextmanager
def meeting():
    """A new file through which ranks find each other; it needs no port."""
    with tempfile.TemporaryDirectory(prefix="dtrain-gloo-") as folder:
        yield os.path.join(folder, "meeting")


def blas():
    """Name and version of the library that multiplies matrices in float32."""
    (torch.ones(64, 64) @ torch.ones(64, 64)).sum()
    with open("/proc/self/maps", encoding="utf-8") as maps:
        loaded = sorted({line.split()[-1] for line in maps if re.search(r"/lib[^/]*(blas|blis|mkl)[^/]*$", line)})
    for path in loaded:
        if "openblas" in os.path.basename(path):
            try:
                version = ctypes.CDLL(path).openblas_get_config
                version.restype = ctypes.c_char_p
                return re.sub(r" (NO_\w+|DYNAMIC_ARCH|MAX_THREADS=\d+|USE_\w+)", "", version().decode())
            except AttributeError:
                return os.path.basename(path)
    mkl = re.search(r"Math Kernel Library Version (\S+)", torch.__config__.show())
    return f"MKL {mkl[1]}" if mkl else ", ".join(map(os.path.basename, loaded)) or "unknown BLAS"


def about():
    """Of this PyTorch, for the JSON lines: its version, its BLAS, its oneDNN."""
    onednn = re.search(r"MKL-DNN v(\S+)", torch.__config__.show())
    return {"torch": torch.__version__, "blas": blas(), "oneDnn": onednn[1] if onednn else None}


if __name__ == "__main__":
    # Versions before 1.13 do not say; there gloo is part of every build with torch.distributed.
    if not (dist.is_gloo_available() if hasattr(dist, "is_gloo_available") else dist.is_available()):
        raise SystemExit(f"torch {torch.__version__} was built without gloo")
    print(json.dumps(about()), flush=True)
