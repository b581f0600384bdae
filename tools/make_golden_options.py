#!/usr/bin/env python3
"""Makes tests/golden/models/*/options.json: what the reference gives for other picture sizes and other poolings.

The checkpoints are those that make_golden_models.py has made. A picture size means: the processor's crop and resize
scaled to it, and the model's own interpolation of positions. `cls` and `mean` are rows of the last hidden state after
the final norm: the class token, and the mean of the patches.

    python tools/make_golden_options.py [--models tests/golden/models]

Needs tests/golden/requirements.txt.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import transformers
from golden_checkpoint import PICTURES, picture
from transformers import AutoModel

# name: (picture sizes, first patch among the tokens)
MODELS = {
    "clip": ((48, 37), 1),
    "siglip": ((48,), 0),
    "vit_pooler_pillow": ((64,), 1),
    "deit": ((40,), 2),
    "dinov2": ((84, 35), 1),
    "dinov2_registers": ((42,), 5),
    "dinov3": ((64,), None),
}
# Convolutional networks have one way to pool, and no positions. ConvNeXt's processor warps from 384 on.
CONVOLUTIONAL = {"convnext": (36, 384), "resnet_basic": (40,)}


def scaled_processor(folder, size):
    # By its own name: AutoImageProcessor would take the torchvision variant of a Pillow one.
    name = json.loads((folder / "preprocessor_config.json").read_text())["image_processor_type"]
    kind = getattr(transformers, name)
    processor = kind.from_pretrained(folder)
    if size is None:
        return processor
    square = {"height": size, "width": size}
    changes = {"size": {"shortest_edge": size} if name.startswith("ConvNext") else square}
    if getattr(processor, "do_center_crop", None):
        factor = size / processor.crop_size["height"]
        words = {k: v for k, v in dict(processor.size).items() if v is not None}
        changes = {"size": {k: int(np.floor(v * factor + 0.5)) for k, v in words.items()}, "crop_size": square}
    return kind.from_pretrained(folder, **changes)


def tower_of(model):
    return getattr(model, "vision_model", model)


def run(folder, size, pooling, first_patch):
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    processor = scaled_processor(folder, size)
    by_itself = {"dinov2", "dinov2_registers", "dinov3", *CONVOLUTIONAL}
    interpolates = size is not None and folder.name not in by_itself
    more = {"interpolate_pos_encoding": True} if interpolates else {}
    rows = []
    for args in PICTURES:
        values = processor(picture(*args).convert("RGB"), return_tensors="pt")["pixel_values"]
        assert size is None or tuple(values.shape[2:]) == (size, size), values.shape
        with torch.no_grad():
            if pooling == "default" and hasattr(model, "get_image_features"):
                output = model.get_image_features(pixel_values=values, **more)
                row = getattr(output, "pooler_output", output)[0]
            else:
                tower = tower_of(model)
                output = tower(pixel_values=values, **more)
                tokens = output.last_hidden_state
                if folder.name == "clip":  # the only family that norms the pooled token alone
                    tokens = tower.post_layernorm(tokens)
                row = {
                    "default": lambda: output.pooler_output[0].flatten(),
                    "cls": lambda: tokens[0, 0],
                    "mean": lambda: tokens[0, first_patch:].mean(0),
                }[pooling]()
        rows.append([float(f"{v:.9g}") for v in row.numpy()])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path(__file__).parent.parent / "tests/golden/models")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name, (sizes, first_patch) in {**MODELS, **{n: (s, -1) for n, s in CONVOLUTIONAL.items()}}.items():
        folder = arguments.models / name
        if first_patch is None:
            first_patch = 1 + json.loads((folder / "config.json").read_text())["num_register_tokens"]
        cases = [(size, "default") for size in sizes]
        if first_patch >= 0:
            cases += [(None, "mean"), (sizes[0], "mean")]
        if first_patch > 0:
            cases.append((None, "cls"))
        goldens = [
            {"image_size": size, "pooling": pooling, "embeddings": run(folder, size, pooling, first_patch)}
            for size, pooling in cases
        ]
        text = json.dumps(goldens).replace('"embeddings": [[', '"embeddings": [\n[').replace("], [", "],\n[")
        (folder / "options.json").write_text(text + "\n")
        print(name, [(g["image_size"], g["pooling"], np.shape(g["embeddings"])) for g in goldens])


if __name__ == "__main__":
    main()
