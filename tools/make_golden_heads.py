#!/usr/bin/env python3
"""Makes the reference vectors of the head sizes that public checkpoints have, 64 to 128, of which most are no multiple
of 16: tests/golden/models/*_head_*.

One block each, as narrow as the head size allows; 72 and 64 with two heads. Otherwise as make_golden_models.py.

    python tools/make_golden_heads.py [--out tests/golden/models]

Needs tests/golden/requirements.txt.
"""

import argparse
from pathlib import Path

import torch
from golden_checkpoint import fresh, run_transformers, scramble, tidy
from transformers import (
    Aimv2VisionConfig,
    Aimv2VisionModel,
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    DINOv3ViTConfig,
    DINOv3ViTModel,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
)
from transformers.models.dinov3_vit.image_processing_dinov3_vit import DINOv3ViTImageProcessor

SIZE = {"height": 28, "width": 28}
CROPPED = {"size": {"shortest_edge": 28}, "crop_size": SIZE}


def make(out, name, seed, dtype, make_model, config, processor, family, exact_pixels=True):
    folder = fresh(out, name)
    scramble(make_model(config), seed).to(dtype).save_pretrained(folder)
    processor.save_pretrained(folder)
    model = make_model.from_pretrained(folder, dtype=torch.float32).eval()

    def embed(values):
        made = model(pixel_values=values)
        return made.image_embeds if hasattr(made, "image_embeds") else made

    run_transformers(folder, family, embed, type(processor).from_pretrained(folder), exact_pixels)
    tidy(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "tests/golden/models")
    out = parser.parse_args().out
    torch.manual_seed(0)
    torch.set_num_threads(1)

    def sizes(head, heads, inner):
        return {"hidden_size": head * heads, "num_attention_heads": heads, "intermediate_size": inner, "num_hidden_layers": 1,
                "image_size": 28, "patch_size": 4}

    # laion's H, g and bigG; SigLIP's so400m and giant; every AIMv2; DINOv3's S to L.
    for head, seed, dtype, act in ((80, 70, torch.float16, "gelu"), (88, 71, torch.bfloat16, "gelu"),
                                   (104, 72, torch.float16, "quick_gelu")):
        make(out, f"clip_head_{head}", seed, dtype, CLIPVisionModelWithProjection,
             CLIPVisionConfig(**sizes(head, 1, 97), hidden_act=act, projection_dim=33), CLIPImageProcessor(**CROPPED), "clip")
    for head, heads, seed, dtype in ((72, 2, 73, torch.bfloat16), (96, 1, 74, torch.float16)):
        make(out, f"siglip_head_{head}", seed, dtype, SiglipVisionModel, SiglipVisionConfig(**sizes(head, heads, 53)),
             SiglipImageProcessor(size=SIZE), "siglip")
    make(out, "aimv2_head_128", 75, torch.float16, Aimv2VisionModel, Aimv2VisionConfig(**sizes(128, 1, 45)),
         CLIPImageProcessor(**CROPPED), "aimv2")
    make(out, "dinov3_head_64", 76, torch.bfloat16, DINOv3ViTModel, DINOv3ViTConfig(**sizes(64, 2, 90), num_register_tokens=4),
         DINOv3ViTImageProcessor(size=SIZE), "dinov3", exact_pixels=False)


if __name__ == "__main__":
    main()
