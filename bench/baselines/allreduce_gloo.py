"""All-reduce with PyTorch's gloo between processes of this machine: one JSON line per size.

usage: python3 allreduce_gloo.py RANKS BYTES:ITERATIONS [BYTES:ITERATIONS ...]
"""
import json
import sys
import time

import baseline
import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def run(rank, ranks, sizes, meeting):
    baseline.join(rank, ranks, meeting)
    about = baseline.about()
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
            print(json.dumps({"bytes": size, "seconds": float(slowest.median()), "wrong": wrong, **about}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    count = int(sys.argv[1])
    with baseline.meeting() as meeting:
        mp.spawn(run, (count, [tuple(map(int, s.split(":"))) for s in sys.argv[2:]], meeting), nprocs=count)
