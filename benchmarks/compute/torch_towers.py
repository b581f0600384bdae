"""The image towers of gpu_benchmark in torch, bf16, eager (sdpa) and compiled: images/s of a batch on the GPU."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

TOWERS = {"B/32": (32, 768, 12, 12, 512), "B/16": (16, 768, 12, 12, 512), "L/14": (14, 1024, 24, 16, 768)}
BATCHES = (256, 32)
COMPILED = 256  # the batch that the compiled tower is measured with: to compile takes a quarter of a minute a shape
SECONDS = 1.5
ROUNDS = 5


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, tokens, width))
        hidden = self.up(self.norm2(x))
        return x + self.down(hidden * torch.sigmoid(1.702 * hidden))


class Tower(nn.Module):
    def __init__(self, patch: int, width: int, layers: int, heads: int, projection: int) -> None:
        super().__init__()
        tokens = (224 // patch) ** 2 + 1
        self.patch = nn.Conv2d(3, width, patch, patch, bias=False)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, tokens, width))
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.projection = nn.Linear(width, projection)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.patch(pixels.to(torch.bfloat16) / 127.5 - 1).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(patches), -1, -1), patches], 1) + self.positions
        return self.projection(self.after(self.blocks(self.before(x))[:, 0]))


def images_per_second(run: Callable[[torch.Tensor], torch.Tensor], batch: int) -> float:
    """Pixels start in pinned host memory and vectors end in host memory, as in gpu_benchmark."""
    pixels = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8).pin_memory()
    for _ in range(3):
        run(pixels.cuda(non_blocking=True)).cpu()
    rates = []
    for _ in range(ROUNDS):
        begun, images = time.perf_counter(), 0
        while time.perf_counter() - begun < SECONDS / ROUNDS:
            run(pixels.cuda(non_blocking=True)).float().cpu()
            images += batch
        rates.append(images / (time.perf_counter() - begun))
    return statistics.median(rates)


def main() -> None:
    print(f"\ntorch {torch.__version__}, {torch.cuda.get_device_name()}, bf16\n")
    print("| tower | batch | eager, sdpa: images/s | compiled: images/s |\n| --- | ---: | ---: | ---: |")
    for name, shape in TOWERS.items():
        tower = Tower(*shape).to("cuda", torch.bfloat16).eval()
        compiled = torch.compile(tower, dynamic=False)
        for batch in BATCHES:
            with torch.inference_mode():
                eager = images_per_second(tower, batch)
                fast = f"{images_per_second(compiled, batch):.0f}" if batch == COMPILED else ""
            print(f"| {name} | {batch} | {eager:.0f} | {fast} |", flush=True)


if __name__ == "__main__":
    main()
