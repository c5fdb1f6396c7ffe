"""Training steps of the same GPT or BERT in PyTorch, as a peer that the step benchmark takes turns with.

Prints a line of JSON that says what it really runs, then answers each number N on standard input
with a line of N step times in milliseconds. One step is what ours is: forward and backward over all
micro-batches of the global batch, clipping by the global norm, AdamW.
"""

import argparse
import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads = heads
        self.drop = nn.Dropout(dropout)
        self.ln_1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.ln_2 = nn.LayerNorm(width)
        self.fc = nn.Linear(width, 4 * width)
        self.out = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(self.ln_1(x)).chunk(3, dim=-1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=self.drop.p)
        x = x + self.drop(self.proj(mixed.transpose(1, 2).reshape(batch, length, width)))
        return x + self.drop(self.out(F.gelu(self.fc(self.ln_2(x)), approximate="tanh")))


class Gpt(nn.Module):
    def __init__(self, layers, heads, width, context, vocabulary, dropout):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        x = self.drop(self.tokens(tokens) + self.positions.weight[: tokens.shape[1]])
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


class PostNormBlock(Block):
    """BERT's: attention to both sides, norms after the additions, GELU by erf."""

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=self.drop.p)
        x = self.ln_1(x + self.drop(self.proj(mixed.transpose(1, 2).reshape(batch, length, width))))
        return self.ln_2(x + self.drop(self.out(F.gelu(self.fc(x)))))


class Bert(nn.Module):
    """The head sees the masked positions only, as in the paper's own program."""

    def __init__(self, layers, heads, width, context, vocabulary, dropout, masked):
        super().__init__()
        self.masked = masked
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.types = nn.Embedding(2, width)
        self.ln = nn.LayerNorm(width, eps=1e-12)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(PostNormBlock(width, heads, dropout) for _ in range(layers))
        self.dense = nn.Linear(width, width)
        self.ln_head = nn.LayerNorm(width, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]] + self.types.weight[0]
        x = self.drop(self.ln(x))
        for block in self.blocks:
            x = block(x)
        # Which positions are masked is nothing to the time: evenly spread ones.
        rows = torch.arange(self.masked, device=x.device) * (x.shape[1] // self.masked)
        x, targets = x[:, rows].flatten(0, 1), targets[:, rows].flatten()
        logits = F.linear(self.ln_head(F.gelu(self.dense(x))), self.tokens.weight, self.bias)
        return F.cross_entropy(logits.float(), targets)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("layers", "heads", "width", "context", "vocabulary", "batch", "micro-batch"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--masked", type=int, default=0, help="a sequence; 0 for a GPT")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--mode", choices=("eager", "compile"), default="eager")
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    return parser.parse_args()


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    device = torch.device(args.device)
    shape = (args.layers, args.heads, args.width, args.context, args.vocabulary, args.dropout)
    model = (Bert(*shape, args.masked) if args.masked else Gpt(*shape)).to(device)
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": 0.1},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=1e-3,
        betas=(0.9, 0.95),
        fused=True,
    )
    loss_of = torch.compile(model) if args.mode == "compile" else model
    micro_batches = args.batch // args.micro_batch
    shape = (micro_batches, args.micro_batch, args.context + 1)

    def step():
        data = torch.randint(args.vocabulary, shape, device=device)
        for tokens in data:
            with torch.autocast(device.type, torch.bfloat16, enabled=args.dtype == "bf16"):
                loss = loss_of(tokens[:, :-1], tokens[:, 1:])
            (loss / micro_batches).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    for _ in range(3):
        assert math.isfinite(step())
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "capability": torch.backends.cpu.get_cpu_capability(),
                "device": torch.cuda.get_device_name() if args.device == "cuda" else args.device,
                "mode": args.mode,
                "dtype": args.dtype,
                "parameters": sum(p.numel() for p in model.parameters()),
                "peak_device_bytes": torch.cuda.max_memory_allocated() if args.device == "cuda" else 0,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        ),
        flush=True,
    )
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            step()
            times.append((time.perf_counter() - begin) * 1e3)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
