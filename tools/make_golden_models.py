#!/usr/bin/env python3
"""Makes the reference vectors of tests/golden/models.

For each family a tiny random checkpoint is made by seed, saved as its library saves it, loaded back in float32, and
run on generated pictures through its own processor. The checkpoint and `golden.json` (embeddings, and a hash of the
exact pixel values) are committed. The pictures are generated again by the C++ test from the same integers.

    python tools/make_golden_models.py [--out tests/golden/models] [--vit-tiny DIR] [--efficientnet FILE.pth]

Needs tests/golden/requirements.txt. With --vit-tiny and --efficientnet it also writes the vectors of those two real
models, whose weights are not committed.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from golden_checkpoint import PICTURES, calibrate, fresh, picture, pooled, run_transformers, save_processor, scramble, tidy, write_golden
from PIL import Image

def make_vit(out):
    from transformers import (DeiTConfig, DeiTImageProcessor, DeiTModel, ViTConfig, ViTForImageClassification,
                              ViTImageProcessor, ViTModel)
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    # A classifier's checkpoint: prefix `vit.`, no pooler, a head to be ignored.
    folder = fresh(out, "vit_classifier")
    config = ViTConfig(hidden_size=36, intermediate_size=60, num_hidden_layers=2, num_attention_heads=3, image_size=24,
                       patch_size=6, num_labels=5)
    scramble(ViTForImageClassification(config), 5).save_pretrained(folder)
    ViTImageProcessor(size={"height": 24, "width": 24}).save_pretrained(folder)
    model = ViTForImageClassification.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "vit", lambda p: model.vit(pixel_values=p).last_hidden_state[:, 0],
                     ViTImageProcessor.from_pretrained(folder))
    tidy(folder)

    # With a pooler, without biases of q, k, v, in the names transformers 5 has in memory, by Pillow.
    folder = fresh(out, "vit_pooler_pillow")
    config = ViTConfig(hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=2, image_size=32,
                       patch_size=16, qkv_bias=False)
    scramble(ViTModel(config), 6).bfloat16().save_pretrained(folder, save_original_format=False)
    save_processor(ViTImageProcessorPil(size={"height": 32, "width": 32}), folder)
    model = ViTModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "vit", lambda p: model(pixel_values=p), ViTImageProcessorPil.from_pretrained(folder))
    tidy(folder)

    folder = fresh(out, "deit")
    config = DeiTConfig(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                        image_size=32, patch_size=8)
    scramble(DeiTModel(config), 7).half().save_pretrained(folder)
    DeiTImageProcessor(size={"height": 37, "width": 37}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    model = DeiTModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "deit", lambda p: model(pixel_values=p), DeiTImageProcessor.from_pretrained(folder))
    tidy(folder)


def make_dinov2(out):
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    for name, seed, crop, dtype in (("dinov2_resized", 8, (35, 49), torch.float32), ("dinov2", 9, (56, 56), torch.float16)):
        folder = fresh(out, name)
        config = Dinov2Config(hidden_size=40, mlp_ratio=2, num_hidden_layers=2, num_attention_heads=4, image_size=56,
                              patch_size=7)
        scramble(Dinov2Model(config), seed).to(dtype).save_pretrained(folder)
        BitImageProcessor(size={"shortest_edge": 60}, crop_size={"height": crop[0], "width": crop[1]}, image_mean=mean,
                          image_std=std).save_pretrained(folder)
        model = Dinov2Model.from_pretrained(folder, dtype=torch.float32).eval()
        run_transformers(folder, "dinov2", lambda p: model(pixel_values=p), BitImageProcessor.from_pretrained(folder))
        tidy(folder)


    # Registers, with and without resizing (antialiased here); gated MLPs in both kinds.
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    for name, seed, crop, more in (("dinov2_registers", 11, (35, 49), dict(num_register_tokens=4)),
                                   ("dinov2_registers_gated", 12, (28, 28), dict(num_register_tokens=1, use_swiglu_ffn=True)),
                                   ("dinov2_gated", 13, (42, 28), dict(use_swiglu_ffn=True, mlp_ratio=3, qkv_bias=False))):
        folder = fresh(out, name)
        registers = "num_register_tokens" in more
        make_config = Dinov2WithRegistersConfig if registers else Dinov2Config
        make_model = Dinov2WithRegistersModel if registers else Dinov2Model
        config = make_config(**{**dict(hidden_size=40, mlp_ratio=2, num_hidden_layers=2, num_attention_heads=2,
                                       image_size=28, patch_size=7), **more})
        scramble(make_model(config), seed).to(torch.bfloat16).save_pretrained(folder)
        BitImageProcessor(size={"shortest_edge": 50}, crop_size={"height": crop[0], "width": crop[1]}, image_mean=mean,
                          image_std=std).save_pretrained(folder)
        model = make_model.from_pretrained(folder, dtype=torch.float32).eval()
        run_transformers(folder, "dinov2-with-registers" if registers else "dinov2", lambda p: model(pixel_values=p),
                         BitImageProcessor.from_pretrained(folder))
        tidy(folder)


def make_dinov3(out):
    from transformers import DINOv3ViTConfig, DINOv3ViTModel
    from transformers.models.dinov3_vit.image_processing_dinov3_vit import DINOv3ViTImageProcessor

    for name, seed, size, more, processor in (
            ("dinov3", 40, (32, 48), dict(num_register_tokens=4), {}),
            ("dinov3_gated", 41, (40, 40), dict(use_gated_mlp=True, hidden_act="silu", query_bias=False, value_bias=False),
             dict(resample=3, do_center_crop=True, crop_size={"height": 32, "width": 48}))):
        folder = fresh(out, name)
        config = DINOv3ViTConfig(**{**dict(hidden_size=40, intermediate_size=52, num_hidden_layers=2, num_attention_heads=2,
                                           image_size=32, patch_size=8), **more})
        scramble(DINOv3ViTModel(config), seed).bfloat16().save_pretrained(folder)
        DINOv3ViTImageProcessor(size={"height": size[0], "width": size[1]}, **processor).save_pretrained(folder)
        model = DINOv3ViTModel.from_pretrained(folder, dtype=torch.float32).eval()
        run_transformers(folder, "dinov3", lambda p: model(pixel_values=p),
                         DINOv3ViTImageProcessor.from_pretrained(folder), exact_pixels=False)
        tidy(folder)


def make_siglip(out):
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipVisionConfig, SiglipVisionModel

    text = dict(vocab_size=16, hidden_size=40, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
                max_position_embeddings=8, bos_token_id=0, eos_token_id=1, pad_token_id=1)
    vision = dict(hidden_size=40, intermediate_size=52, num_hidden_layers=2, num_attention_heads=2, image_size=32,
                  patch_size=8)

    folder = fresh(out, "siglip")
    scramble(SiglipModel(SiglipConfig(text_config=text, vision_config=vision)), 20).half().save_pretrained(folder)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    model = SiglipModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "siglip", lambda p: model.get_image_features(pixel_values=p),
                     SiglipImageProcessor.from_pretrained(folder))
    tidy(folder)

    # The vision model alone, bilinear as SigLIP 2, patches that leave pixels over.
    folder = fresh(out, "siglip2_vision")
    config = SiglipVisionConfig(**dict(vision, image_size=30, patch_size=7, num_attention_heads=4, intermediate_size=49))
    scramble(SiglipVisionModel(config), 21).bfloat16().save_pretrained(folder)
    SiglipImageProcessor(size={"height": 30, "width": 30}, resample=2).save_pretrained(folder)
    model = SiglipVisionModel.from_pretrained(folder, dtype=torch.float32).eval()
    run_transformers(folder, "siglip", lambda p: model(pixel_values=p), SiglipImageProcessor.from_pretrained(folder))
    tidy(folder)


def apple_names(state):
    """The tensors of an Aimv2 model under the names of Apple's own releases."""
    import re

    renamed, stacked = {}, {}
    for name, tensor in state.items():
        lit = name.startswith("vision_model.")
        name = name.removeprefix("vision_model.")
        part = re.fullmatch(r"(encoder.layers.\d+.attention).([qkv])_proj.(weight|bias)", name)
        for old, new in (("embeddings.patch_embed.", "preprocessor.patchifier.proj."),
                         ("embeddings.rms_norm.", "preprocessor.patchifier.norm."),
                         ("embeddings.position_embedding.weight", "preprocessor.pos_embed"),
                         ("encoder.layers.", "trunk.blocks."), ("attention.out_proj.", "attn.proj."),
                         ("ffn.gate_proj.", "mlp.fc1."), ("ffn.up_proj.", "mlp.fc3."), ("ffn.down_proj.", "mlp.fc2."),
                         ("rms_norm1", "norm_1"), ("rms_norm2", "norm_2"), ("head.k_proj", "head.k"),
                         ("head.v_proj", "head.v"), ("head.output_proj", "head.linear"),
                         ("text_model.", "text_encoder."), ("visual_projection.", "image_projector."),
                         ("text_projection.", "text_projector."), ("logit_scale", "log_logit_scale")):
            name = name.replace(old, new)
        name = re.sub(r"^rms_norm.", "trunk.post_trunk_norm.", name)
        prefix = "image_encoder." if lit else ""
        if part:
            index = re.search(r"\d+", name)[0]
            stacked.setdefault(f"{prefix}trunk.blocks.{index}.attn.qkv.{part[3]}", {})[part[2]] = tensor
        else:
            renamed[prefix + name] = tensor[None] if name == "preprocessor.pos_embed" else tensor
    for name, parts in stacked.items():
        renamed[name] = torch.cat([parts[p] for p in "qkv"])
    return {name: tensor.contiguous() for name, tensor in renamed.items()}


def make_aimv2(out):
    from safetensors.torch import load_file, save_file
    from transformers import Aimv2Config, Aimv2Model, Aimv2VisionConfig, Aimv2VisionModel, CLIPImageProcessor

    text = dict(vocab_size=16, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
                max_position_embeddings=8)
    vision = dict(hidden_size=40, intermediate_size=52, num_hidden_layers=2, num_attention_heads=2, image_size=32,
                  patch_size=8)
    for name, seed, apple, more in (("aimv2_lit", 30, False, None), ("aimv2_lit_apple", 31, True, None),
                                    ("aimv2_head", 32, False, dict(qkv_bias=True, mlp_bias=True, num_attention_heads=5)),
                                    ("aimv2_native", 33, False, dict(is_native=True, use_head=False)),
                                    ("aimv2_apple", 34, True, dict(use_head=False, image_size=30, patch_size=7))):
        folder = fresh(out, name)
        lit = more is None
        config = (Aimv2Config(text_config=text, vision_config=vision, projection_dim=24) if lit
                  else Aimv2VisionConfig(**{**vision, **more}))
        make_model = Aimv2Model if lit else Aimv2VisionModel
        size = config.vision_config.image_size if lit else config.image_size
        scramble(make_model(config), seed).bfloat16().save_pretrained(folder)
        CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": size, "width": size + 8 * (name == "aimv2_native")},
                           ).save_pretrained(folder)
        model = make_model.from_pretrained(folder, dtype=torch.float32).eval()
        if apple:
            state = load_file(folder / "model.safetensors")
            save_file(apple_names(state), folder / "model.safetensors", metadata={"format": "pt"})
        if apple and not lit:  # as their configs: this type, keys at the top, no word of a head
            raw = json.loads((folder / "config.json").read_text())
            del raw["use_head"], raw["is_native"]
            (folder / "config.json").write_text(json.dumps(dict(raw, model_type="aimv2"), indent=2) + "\n")
        if lit:
            embed = lambda p: model.get_image_features(pixel_values=p)  # noqa: E731
        elif config.use_head:
            embed = lambda p: model(pixel_values=p)  # noqa: E731
        else:
            embed = lambda p: model(pixel_values=p).last_hidden_state.mean(1)  # noqa: E731
        run_transformers(folder, "aimv2", embed, CLIPImageProcessor.from_pretrained(folder))
        tidy(folder)


def make_beit(out):
    from transformers import BeitConfig, BeitForImageClassification, BeitImageProcessor, BeitModel

    small = dict(hidden_size=36, intermediate_size=52, num_hidden_layers=2, num_attention_heads=3, image_size=32, patch_size=8)
    # A classifier as the hub has them; one table for all blocks, at another size than it was trained for, and the class
    # token; positions of both kinds, neither layer scale, in the names transformers 5 has in memory.
    for name, seed, size, more, stored in (
            ("beit", 60, (32, 32), dict(use_relative_position_bias=True), True),
            ("beit_resized", 61, (40, 56), dict(use_shared_relative_position_bias=True, use_mean_pooling=False,
                                                use_mask_token=True), True),
            ("beit_positions", 62, (24, 48), dict(use_relative_position_bias=True, use_shared_relative_position_bias=True,
                                                  use_absolute_position_embeddings=True, layer_scale_init_value=0.0), False)):
        folder = fresh(out, name)
        config = BeitConfig(**small, **more)
        classifier = name == "beit"
        model = BeitForImageClassification(config) if classifier else BeitModel(config)
        scramble(model, seed).half().save_pretrained(folder, save_original_format=stored)
        BeitImageProcessor(size={"height": size[0], "width": size[1]}).save_pretrained(folder)
        model = BeitModel.from_pretrained(folder, dtype=torch.float32).eval()
        run_transformers(folder, "beit", lambda p, model=model: model(pixel_values=p),
                         BeitImageProcessor.from_pretrained(folder))
        tidy(folder)


def make_resnet(out):
    from transformers import (BitImageProcessor, ConvNextImageProcessor, ResNetConfig, ResNetForImageClassification,
                              ResNetModel)
    from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil

    sizes = dict(embedding_size=10, hidden_sizes=[24, 40, 52], depths=[2, 1, 2])
    for name, seed, more, make_processor, processor in (
            ("resnet_bottleneck", 50, dict(num_labels=3), ConvNextImageProcessor,
             dict(size={"shortest_edge": 54}, crop_pct=0.875, resample=3)),
            ("resnet_bottleneck_strided", 51,
             dict(downsample_in_bottleneck=True, downsample_in_first_stage=True, hidden_act="gelu"),
             ConvNextImageProcessorPil, dict(size={"shortest_edge": 71}, crop_pct=0.83, resample=2)),
            ("resnet_basic", 52, dict(layer_type="basic", hidden_sizes=[10, 18, 23]), BitImageProcessor,
             dict(size={"shortest_edge": 60}, crop_size={"height": 51, "width": 66}))):
        folder = fresh(out, name)
        classifies = "num_labels" in more
        make_model = ResNetForImageClassification if classifies else ResNetModel
        save_processor(make_processor(**processor), folder)
        calibrate(scramble(make_model(ResNetConfig(**{**sizes, **more})), seed),
                  make_processor(**processor)).half().save_pretrained(folder)
        model = make_model.from_pretrained(folder, dtype=torch.float32).eval()
        tower = model.resnet if classifies else model
        run_transformers(folder, "resnet", lambda p: tower(pixel_values=p).pooler_output.flatten(1),
                         make_processor.from_pretrained(folder))
        tidy(folder)


def make_convnext(out):
    from transformers import (ConvNextConfig, ConvNextForImageClassification, ConvNextImageProcessor, ConvNextModel,
                              ConvNextV2Config, ConvNextV2Model)
    from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil

    sizes = dict(num_stages=3, hidden_sizes=[12, 20, 33], depths=[1, 2, 1])
    for name, seed, make_config, make_model, more, make_processor, processor in (
            ("convnext", 60, ConvNextConfig, ConvNextForImageClassification, dict(num_labels=3), ConvNextImageProcessor,
             dict(size={"shortest_edge": 45}, crop_pct=0.9)),
            # From 384 on the processor warps; no layer scale; another activation, and epsilon of the last norm.
            ("convnext_warped", 61, ConvNextConfig, ConvNextModel,
             dict(patch_size=27, layer_scale_init_value=0.0, hidden_act="quick_gelu", layer_norm_eps=1e-2),
             ConvNextImageProcessor, dict(size={"shortest_edge": 385}, resample=2)),
            ("convnextv2", 62, ConvNextV2Config, ConvNextV2Model, {}, ConvNextImageProcessorPil,
             dict(size={"shortest_edge": 39}, crop_pct=0.875))):
        folder = fresh(out, name)
        scramble(make_model(make_config(**{**sizes, **more})), seed).bfloat16().save_pretrained(folder)
        save_processor(make_processor(**processor), folder)
        model = make_model.from_pretrained(folder, dtype=torch.float32).eval()
        tower = model.convnext if "num_labels" in more else model
        run_transformers(folder, "convnextv2" if make_model is ConvNextV2Model else "convnext",
                         lambda p: tower(pixel_values=p), make_processor.from_pretrained(folder))
        tidy(folder)


def make_timm(out):
    import timm
    from safetensors.torch import load_file, save_file

    folder = fresh(out, "timm_vit")
    arguments = dict(img_size=48, patch_size=12, embed_dim=48, depth=2, num_heads=3, mlp_ratio=2)
    model = timm.create_model("vit_tiny_patch16_224", num_classes=3, **arguments)
    save_file(scramble(model, 10).half().state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    pretrained = dict(input_size=[3, 48, 48], interpolation="bicubic", crop_pct=0.9, crop_mode="center",
                      mean=[0.5, 0.45, 0.4], std=[0.25, 0.3, 0.35])
    (folder / "config.json").write_text(json.dumps({
        "architecture": "vit_tiny_patch16_224", "num_classes": 3, "num_features": 48, "global_pool": "token",
        "model_args": arguments, "pretrained_cfg": pretrained}, indent=2) + "\n")
    model.float().load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    run_timm(folder, model, dict(pretrained, input_size=(3, 48, 48)), PICTURES)


def run_timm(target, model, data_config, pictures, family="timm-vit", **more):
    import timm

    model.eval()
    transform = timm.data.create_transform(**data_config, is_training=False)
    vectors, pixels = [], []
    for args in pictures:
        values = transform(picture(*args).convert("RGB"))
        with torch.no_grad():
            vectors.append(model.forward_head(model.forward_features(values[None]), pre_logits=True)[0].numpy())
        pixels.append(values.numpy())
    write_golden(target, family, pictures, vectors, pixels, **more)


# Ordinary photograph sizes for the two real models.
PHOTOGRAPHS = [(320, 240, 11, False), (257, 400, 12, False), (500, 130, 13, False), (90, 60, 14, True)]


def make_vit_tiny(out, source):
    import timm
    from safetensors.torch import load_file

    model = timm.create_model("vit_tiny_patch16_224").eval()
    model.load_state_dict(load_file(source / "model.safetensors"))
    known = np.load(source / "golden_skimage.npz")
    bytes_ = np.round(known["pixel_values"].astype(np.float32) * 127.5 + 127.5)
    with torch.no_grad():
        ours = model.forward_head(model.forward_features(torch.from_numpy((bytes_ / 255 - 0.5) / 0.5)), pre_logits=True)
    print("vit_tiny: timm against the stored vectors:", np.abs(ours.numpy() - known["embedding"]).max())
    run_timm(out / "vit_tiny_patch16_224.json", model,
             dict(input_size=(3, 224, 224), interpolation="bicubic", crop_pct=224 / 248, crop_mode="center",
                  mean=(0.5,) * 3, std=(0.5,) * 3), PHOTOGRAPHS)


def make_efficientnet(out, source):
    import torch.nn.functional as F

    weights = torch.load(source, map_location="cpu", weights_only=True)

    def norm(x, name):
        return F.batch_norm(x, *(weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")),
                            eps=1e-3)

    def conv(x, name, stride=1, groups=1):
        kernel = weights[name + ".weight"].shape[-1]
        total = max((math.ceil(x.shape[-1] / stride) - 1) * stride + kernel - x.shape[-1], 0)
        x = F.pad(x, (total // 2, total - total // 2) * 2)
        return F.conv2d(x, weights[name + ".weight"].contiguous(), stride=stride, groups=groups)

    def embed(x):
        x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
        index = 0
        for repeats, kernel, stride, expand, width_in, width_out in (
                (1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80),
                (3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320)):
            for repeat in range(repeats):
                block, start = f"_blocks.{index}.", x
                step = stride if repeat == 0 else 1
                if expand != 1:
                    x = F.relu6(norm(conv(x, block + "_expand_conv"), block + "_bn0"))
                assert weights[block + "_depthwise_conv.weight"].shape[-1] == kernel
                x = F.relu6(norm(conv(x, block + "_depthwise_conv", step, x.shape[1]), block + "_bn1"))
                x = norm(conv(x, block + "_project_conv"), block + "_bn2")
                if step == 1 and start.shape[1] == width_out:
                    x = x + start
                index += 1
        return F.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3))

    vectors, pixels = [], []
    for args in PHOTOGRAPHS:
        image = picture(*args).convert("RGB")
        side = int(min(image.size) * 224 / 256)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
        values = (np.asarray(image, np.float32).transpose(2, 0, 1) - 127) / 128
        with torch.no_grad():
            vectors.append(embed(torch.from_numpy(values)[None])[0].numpy())
        pixels.append(values)
    write_golden(out / "efficientnet_lite0.json", "efficientnet-lite0", PHOTOGRAPHS, vectors, pixels)


# Near-squares, strips one and two pixels thin, pictures that are enlarged, a single pixel.
NAFLEX_PICTURES = [
    (96, 64, 1, False),
    (101, 77, 2, False),
    (40, 190, 3, False),
    (1, 300, 4, False),
    (700, 2, 5, False),
    (64, 80, 6, True),
    (11, 7, 7, False),
    (1, 1, 21, False),
    (33, 33, 9, False),
]


def interpolate_columns_rightly():
    """On processors torch 2.15 gives every row of an antialiased result that is one sample wide the values of the first
    row. The same result lying on its side is right, as it is on GPUs."""
    original = torch.nn.functional.interpolate

    def interpolate(values, size, **arguments):
        if size[1] > 1:
            return original(values, size=size, **arguments)
        return original(values.transpose(2, 3), size=size[::-1], **arguments).transpose(2, 3)

    torch.nn.functional.interpolate = interpolate


def make_siglip2_naflex(out):
    from transformers import (Siglip2Config, Siglip2ImageProcessor, Siglip2Model, Siglip2VisionConfig,
                              Siglip2VisionModel)
    from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

    # The model asks it before every check; torch built for CUDA crashes on that where there is no driver.
    if not torch.cuda.is_available():
        torch.cuda.is_current_stream_capturing = lambda: False
    interpolate_columns_rightly()

    text = dict(vocab_size=16, hidden_size=40, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
                max_position_embeddings=8, bos_token_id=0, eos_token_id=1, pad_token_id=1)
    vision = dict(hidden_size=40, intermediate_size=52, num_hidden_layers=2, num_attention_heads=2, patch_size=4,
                  num_patches=25)
    for name, seed, pillow, processing, more in (
            ("siglip2_naflex", 22, False, dict(patch_size=4, max_num_patches=30), None),
            ("siglip2_naflex_vision", 23, True, dict(patch_size=7, max_num_patches=40),
             dict(patch_size=7, num_patches=16, num_attention_heads=4, intermediate_size=49)),
            ("siglip2_naflex_headless", 24, False, dict(patch_size=4, max_num_patches=25, resample=3),
             dict(vision_use_head=False))):
        folder = fresh(out, name)
        whole = more is None
        config = (Siglip2Config(text_config=text, vision_config=vision) if whole
                  else Siglip2VisionConfig(**{**vision, **more}))
        make_model = Siglip2Model if whole else Siglip2VisionModel
        make_processor = Siglip2ImageProcessorPil if pillow else Siglip2ImageProcessor
        scramble(make_model(config), seed).to(torch.bfloat16 if pillow else torch.float16).save_pretrained(folder)
        make_processor(**processing).save_pretrained(folder)
        if pillow:
            raw = json.loads((folder / "preprocessor_config.json").read_text())
            raw["image_processor_type"] = "Siglip2ImageProcessorPil"
            (folder / "preprocessor_config.json").write_text(json.dumps(raw, indent=2) + "\n")
        model = make_model.from_pretrained(folder, dtype=torch.float32).eval()
        processor = make_processor.from_pretrained(folder)
        # All pictures in one batch, padded and masked.
        inputs = processor([picture(*args).convert("RGB") for args in NAFLEX_PICTURES], return_tensors="pt")
        counts = inputs["spatial_shapes"].prod(dim=1).tolist()
        with torch.no_grad():
            if whole:
                vectors = pooled(model.get_image_features(**inputs))
            elif config.vision_use_head:
                vectors = pooled(model(**inputs))
            else:
                states = model(**inputs).last_hidden_state
                vectors = torch.stack([rows[:count].mean(0) for rows, count in zip(states, counts)])
        write_golden(folder, "siglip2", NAFLEX_PICTURES, vectors.numpy(),
                     [values[:count].numpy() for values, count in zip(inputs["pixel_values"], counts)])
        tidy(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "tests/golden/models")
    parser.add_argument("--vit-tiny", type=Path)
    parser.add_argument("--efficientnet", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for make in (make_vit, make_dinov2, make_dinov3, make_siglip, make_aimv2, make_beit, make_resnet, make_convnext,
                 make_timm, make_siglip2_naflex):
        make(arguments.out)
    if arguments.vit_tiny:
        make_vit_tiny(arguments.out, arguments.vit_tiny)
    if arguments.efficientnet:
        make_efficientnet(arguments.out, arguments.efficientnet)


if __name__ == "__main__":
    main()
