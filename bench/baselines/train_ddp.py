"""Training with PyTorch DDP over gloo, one thread per rank: one JSON line per model and precision.

usage: python3 train_ddp.py RANKS STEPS MODEL [MODEL ...]      MODEL: simple-cnn | mlp | transformer
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel


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


def run(rank, ranks, steps, models, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    for name in models:
        for precision in ("float32", "mixed_bfloat16"):
            torch.manual_seed(rank)
            net, x, y = build(name)
            net = DistributedDataParallel(net)
            optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
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
            took = torch.tensor(took[steps // 3:], dtype=torch.float64)
            dist.all_reduce(took, op=dist.ReduceOp.MAX)
            if rank == 0:
                print(json.dumps({"model": name, "precision": precision, "samplesPerSecond": ranks * x.shape[0] / float(took.median())}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(run, (int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:], 20000 + os.getpid() % 20000), nprocs=int(sys.argv[1]))
