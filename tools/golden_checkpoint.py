"""What the makers of tests/golden/models have in common: pictures, random weights, files.

The pictures are generated again by the C++ tests from the same integers.
"""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# width, height, seed, gray: ordinary, odd, tall, wide, gray, smaller than every model's input.
PICTURES = [
    (96, 64, 1, False),
    (101, 77, 2, False),
    (40, 190, 3, False),
    (230, 45, 4, False),
    (64, 80, 5, True),
    (11, 7, 6, False),
]
LCG = (1103515245, 12345, 0x7FFFFFFF)


def lcg(state):
    return (state * LCG[0] + LCG[1]) & LCG[2]


def picture(width, height, seed, gray):
    """Gradients, blocks and noise in integer arithmetic, so that any language makes the same bytes."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    channels = []
    for c in range(1 if gray else 3):
        slope_x = (lcg(seed * 31 + c) >> 16) % 23 - 11
        slope_y = (lcg(seed * 37 + c + 5) >> 16) % 23 - 11
        wave = (x * slope_x + y * slope_y) & 511
        wave = np.where(wave > 255, 511 - wave, wave)
        block = (lcg((seed * 7919 + (x >> 4) * 12347 + (y >> 4) * 54323 + c * 7717) & LCG[2]) >> 16) & 255
        noise = (lcg((seed * 104729 + x * 7 + y * 1009 + c * 31) & LCG[2]) >> 16) & 255
        channels.append((3 * wave + 4 * block + noise) >> 3)
    if gray:
        return Image.fromarray(channels[0].astype(np.uint8), "L")
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8), "RGB")


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def scramble(model, seed):
    """Random weights large enough that different pictures get clearly different vectors."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            noise = torch.randn(tensor.shape, generator=generator)
            if "position_bias_table" in name:
                tensor.copy_(noise)
            elif any(part in name for part in ("position", "pos_embed", "token", "class_embedding", "probe", "latent")):
                tensor.copy_(0.5 * noise)
            elif ".grn." in name:
                tensor.copy_(0.4 * noise)
            elif tensor.ndim >= 2:
                tensor.copy_(noise * 1.6 / math.sqrt(tensor[0].numel()))
            elif "lambda" in name or "gamma" in name or "layer_scale" in name:
                tensor.copy_(0.6 + 0.3 * noise)
            elif ("norm" in name or "ln_" in name) and name.endswith("weight"):
                tensor.copy_(1 + 0.2 * noise)
            else:
                tensor.copy_(0.1 * noise)
    return model.eval()


def calibrate(model, processor):
    """Gives every batch norm the statistics of the pictures, without which ReLUs make all vectors alike."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(processor([picture(*args).convert("RGB") for args in PICTURES], return_tensors="pt")["pixel_values"])
    return model.eval()


def write_golden(folder, family, images, vectors, pixels, **more):
    vectors = np.asarray(vectors, np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T - 2 * np.eye(len(unit))
    assert cosines.max() < 0.99, f"{folder}: pictures are too much alike ({cosines.max():.4f})"
    golden = {
        "family": family,
        "images": [{"width": w, "height": h, "seed": s, "gray": g} for w, h, s, g in images],
        "embeddings": [[float(f"{v:.9g}") for v in row] for row in vectors],
        "pixel_values_fnv1a": [fnv1a(np.ascontiguousarray(p, np.float32).tobytes()) for p in pixels],
        **more,
    }
    text = json.dumps(golden).replace('"embeddings": [[', '"embeddings": [\n[').replace("], [", "],\n[")
    Path(folder).write_text(text + "\n") if str(folder).endswith(".json") else (
        Path(folder) / "golden.json").write_text(text + "\n")
    print(f"{folder}: {vectors.shape}, largest cosine {cosines.max():.3f}, |v| <= {np.abs(vectors).max():.2f}")


def pooled(output):
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def run_transformers(folder, family, embed, processor, exact_pixels=True):
    vectors, pixels = [], []
    for args in PICTURES:
        values = processor(picture(*args).convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            vectors.append(pooled(embed(values))[0].numpy())
        pixels.append(values[0].numpy())
    # Every 37th value where float32 arithmetic is not defined to the bit.
    more = {} if exact_pixels else {"pixel_values_sampled": [[float(f"{v:.9g}") for v in p.ravel()[::37]] for p in pixels]}
    write_golden(folder, family, PICTURES, vectors, pixels if exact_pixels else [], **more)


def fresh(out, name):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def tidy(folder):
    for name in ("generation_config.json",):
        (folder / name).unlink(missing_ok=True)


def save_processor(processor, folder):
    """Under its own class's name, which transformers writes without the Pil."""
    processor.save_pretrained(folder)
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(dict(json.loads(file.read_text()), image_processor_type=type(processor).__name__), indent=2) + "\n")
