#!/usr/bin/env python3
"""Makes the reference vectors of CLIP's image towers, and of those that are the same under another name:
tests/golden/models/clip*, metaclip_2*, chinese_clip*. Otherwise as make_golden_models.py.

    python tools/make_golden_clip.py [--out tests/golden/models]

Needs tests/golden/requirements.txt.
"""

import argparse
import json
from pathlib import Path

import torch
from golden_checkpoint import fresh, pooled, run_transformers, scramble, tidy
from transformers import (
    ChineseCLIPConfig,
    ChineseCLIPImageProcessor,
    ChineseCLIPModel,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    CLIPVisionModelWithProjection,
    MetaClip2Config,
    MetaClip2Model,
    MetaClip2VisionConfig,
    MetaClip2VisionModel,
)


def make_clip(out):
    text = dict(vocab_size=16, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
                max_position_embeddings=8, bos_token_id=0, eos_token_id=1, pad_token_id=1)
    vision = dict(hidden_size=32, intermediate_size=72, num_hidden_layers=3, num_attention_heads=4, image_size=32,
                  patch_size=8)

    folder = fresh(out, "clip")
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    scramble(CLIPModel(config), 1).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "clip", lambda p: model.get_image_features(pixel_values=p),
                     CLIPImageProcessor.from_pretrained(folder))
    tidy(folder)

    # The old way of writing configs, in which vision_config_dict overrides every field; and shards.
    folder = fresh(out, "clip_legacy_sharded")
    config = CLIPConfig(text_config=text, vision_config=dict(vision, hidden_act="gelu", layer_norm_eps=1e-3),
                        projection_dim=40)
    scramble(CLIPModel(config), 2).half().save_pretrained(folder, max_shard_size="40KB")
    raw = json.loads((folder / "config.json").read_text())
    raw["vision_config_dict"] = dict(vision, layer_norm_eps=1e-5)  # no hidden_act: the default, quick_gelu
    (folder / "config.json").write_text(json.dumps(raw, indent=2) + "\n")
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "feature_extractor_type": "CLIPFeatureExtractor", "size": 32, "crop_size": 32, "resample": 3,
        "do_resize": True, "do_center_crop": True, "do_normalize": True}) + "\n")
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    assert model.config.vision_config.hidden_act == "quick_gelu"
    assert len(list(folder.glob("*.safetensors"))) > 1
    run_transformers(folder, "clip", lambda p: model.get_image_features(pixel_values=p),
                     CLIPImageProcessor.from_pretrained(folder))
    tidy(folder)

    # Patches that leave pixels over, and the names without a prefix.
    folder = fresh(out, "clip_vision")
    config = CLIPVisionConfig(hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=3,
                              image_size=30, patch_size=7, hidden_act="gelu")
    scramble(CLIPVisionModel(config), 3).half().save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 33}, crop_size={"height": 30, "width": 30}).save_pretrained(folder)
    model = CLIPVisionModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "clip", lambda p: model(pixel_values=p), CLIPImageProcessor.from_pretrained(folder))
    tidy(folder)

    folder = fresh(out, "clip_vision_projection")
    config = CLIPVisionConfig(hidden_size=40, intermediate_size=64, num_hidden_layers=2, num_attention_heads=5,
                              image_size=28, patch_size=4, projection_dim=20)
    scramble(CLIPVisionModelWithProjection(config), 4).bfloat16().save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(folder)
    model = CLIPVisionModelWithProjection.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "clip", lambda p: model(pixel_values=p).image_embeds,
                     CLIPImageProcessor.from_pretrained(folder))
    tidy(folder)


def make_other_names(out):
    """The image towers of MetaCLIP 2 and Chinese-CLIP: what differs are the texts."""
    vision = dict(hidden_size=36, intermediate_size=52, num_hidden_layers=2, num_attention_heads=3, image_size=28, patch_size=7)
    cropped = dict(size={"shortest_edge": 29}, crop_size={"height": 28, "width": 28})
    text = dict(vocab_size=16, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
                max_position_embeddings=8)

    folder = fresh(out, "metaclip_2")
    ends = dict(bos_token_id=0, eos_token_id=2, pad_token_id=1)
    scramble(MetaClip2Model(MetaClip2Config(text_config=text | ends, vision_config=vision, projection_dim=21)), 80).bfloat16().save_pretrained(folder)
    CLIPImageProcessor(**cropped).save_pretrained(folder)
    joint = MetaClip2Model.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "clip", lambda p: pooled(joint.get_image_features(pixel_values=p)), CLIPImageProcessor.from_pretrained(folder))
    tidy(folder)

    folder = fresh(out, "metaclip_2_vision")
    scramble(MetaClip2VisionModel(MetaClip2VisionConfig(**vision, hidden_act="gelu")), 81).half().save_pretrained(folder)
    CLIPImageProcessor(**cropped).save_pretrained(folder)
    tower = MetaClip2VisionModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "clip", lambda p: tower(pixel_values=p), CLIPImageProcessor.from_pretrained(folder))
    tidy(folder)

    folder = fresh(out, "chinese_clip")
    scramble(ChineseCLIPModel(ChineseCLIPConfig(text_config=text, vision_config=vision, projection_dim=22)), 82).half().save_pretrained(folder)
    ChineseCLIPImageProcessor(**cropped).save_pretrained(folder)
    chinese = ChineseCLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "clip", lambda p: pooled(chinese.get_image_features(pixel_values=p)), ChineseCLIPImageProcessor.from_pretrained(folder))
    tidy(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "tests/golden/models")
    out = parser.parse_args().out
    torch.manual_seed(0)
    torch.set_num_threads(1)
    make_clip(out)
    make_other_names(out)


if __name__ == "__main__":
    main()
