"""All-reduce with PyTorch's gloo between processes of this machine: one JSON line per size.

usage: python3 allreduce_gloo.py RANKS BYTES:ITERATIONS [BYTES:ITERATIONS ...]
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def run(rank, ranks, sizes, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    for size, iterations in sizes:
        data = torch.ones(size // 4)
        took = []
        for i in range(iterations + 3):
            data.fill_(1)
            dist.barrier()
            started = time.perf_counter()
            dist.all_reduce(data)
            if i >= 3:
                took.append(time.perf_counter() - started)
        wrong = int((data != ranks).sum())
        slowest = torch.tensor(took, dtype=torch.float64)
        dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
        if rank == 0:
            print(json.dumps({"bytes": size, "seconds": float(slowest.median()), "wrong": wrong}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    count = int(sys.argv[1])
    mp.spawn(run, (count, [tuple(map(int, s.split(":"))) for s in sys.argv[2:]], 20000 + os.getpid() % 20000), nprocs=count)
