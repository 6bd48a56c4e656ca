"""Training with PyTorch DDP over gloo, one thread per rank: one JSON line per model and precision, with the seconds of each step.

Without --tuned as a first user writes it; with it as PyTorch's documentation advises for CPUs: images channels last, the fused optimizer,
gradients in DDP's buckets, and freed memory kept in the process. Where this version lacks one of them, the line says so. The attention is
written out in both, as it is in the trainer's model.
"""
import argparse
import json
import os
import time

import baseline
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

# What the trainer sets for itself by mallopt.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": 1 << 30, "MALLOC_TRIM_THRESHOLD_": (1 << 31) - 1, "MALLOC_TOP_PAD_": 64 << 20, "MALLOC_ARENA_MAX": 1}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        b, t, w = x.shape
        q, k, v = (p.view(b, t, self.heads, w // self.heads).transpose(1, 2) for p in self.qkv(self.norm1(x)).chunk(3, -1))
        scores = q @ k.transpose(-1, -2) * (w // self.heads) ** -0.5 + mask
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, w))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, vocab=256, width=256, layers=4, heads=8, sequence=128):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocab, width), nn.Embedding(sequence, width)
        self.layers = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocab)
        self.register_buffer("mask", torch.full((sequence, sequence), float("-inf")).triu(1))

    def forward(self, x):
        h = self.embedding(x) + self.position.weight
        for layer in self.layers:
            h = layer(h, self.mask)
        return self.head(self.norm(h)).flatten(0, 1)


def build(name):
    if name == "simple-cnn":
        net = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4096, 10))
        return net, torch.randn(64, 3, 32, 32), torch.randint(0, 10, (64,))
    if name == "mlp":
        net = nn.Sequential(nn.Linear(784, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 10))
        return net, torch.randn(64, 784), torch.randint(0, 10, (64,))
    tokens = torch.randint(0, 256, (8, 129))
    return Transformer(), tokens[:, :-1].contiguous(), tokens[:, 1:].flatten()


def adamw(net, fused):
    """AdamW, fused where this version can on a CPU; returns it and what was tuned."""
    if not fused:
        return torch.optim.AdamW(net.parameters(), lr=1e-3), []
    try:
        return torch.optim.AdamW(net.parameters(), lr=1e-3, fused=True), ["fused AdamW"]
    except (RuntimeError, TypeError):
        return torch.optim.AdamW(net.parameters(), lr=1e-3), ["no fused AdamW for CPUs in this version"]


def run(rank, ranks, steps, models, tuned, meeting):
    baseline.join(rank, ranks, meeting)
    about = baseline.about()
    for name in models:
        for precision in ("float32", "mixed_bfloat16"):
            torch.manual_seed(rank)
            net, x, y = build(name)
            words = []
            if tuned and x.dim() == 4:
                net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
                words.append("channels_last")
            net = DistributedDataParallel(net, gradient_as_bucket_view=tuned)
            optimizer, word = adamw(net, tuned)
            words += word + (["gradient_as_bucket_view", "malloc keeps freed blocks"] if tuned else [])
            took = []
            for _ in range(steps):
                started = time.perf_counter()
                optimizer.zero_grad(set_to_none=True)
                with torch.autocast("cpu", torch.bfloat16, enabled=precision != "float32"):
                    loss = F.cross_entropy(net(x), y)
                loss.backward()
                optimizer.step()
                loss.item()
                took.append(time.perf_counter() - started)
            slowest = torch.tensor(took, dtype=torch.float64)
            dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
            if rank == 0:
                line = {"model": name, "precision": precision, "samples": ranks * x.shape[0]}
                seconds = [round(s, 7) for s in slowest.tolist()]
                print(json.dumps({**line, "seconds": seconds, "tuned": words, **about}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranks", type=int)
    parser.add_argument("steps", type=int)
    parser.add_argument("models", nargs="+", choices=("simple-cnn", "mlp", "transformer"))
    parser.add_argument("--tuned", action="store_true")
    asked = parser.parse_args()
    if asked.tuned:
        # Read by the C library of each rank as it starts.
        os.environ.update({name: str(value) for name, value in MALLOC.items()})
    with baseline.meeting() as meeting:
        mp.spawn(run, (asked.ranks, asked.steps, asked.models, asked.tuned, meeting), nprocs=asked.ranks)
