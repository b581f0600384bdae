#!/usr/bin/env python3
"""Makes the reference vectors of open_clip's and timm's models in tests/golden/models.

As make_golden_models.py, whose pictures and file format these are: tiny random checkpoints, written as
push_to_hf_hub writes them (`open_clip_config.json`, `open_clip_model.safetensors`), loaded back by open_clip itself
and run through its own transform.

    python tools/make_golden_open_clip.py [--out tests/golden/models]

Needs tests/golden/requirements.txt.
"""

import argparse
import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import torch
from golden_checkpoint import PICTURES, fresh, picture, scramble, write_golden
from make_golden_models import run_timm

TEXT = dict(context_length=8, vocab_size=16, width=8, heads=1, layers=1)


@contextmanager
def trunks_of(**arguments):
    """open_clip builds timm trunks by name alone; here they get small sizes besides."""
    import timm

    create = timm.create_model
    with mock.patch.object(timm, "create_model", lambda name, **more: create(name, **{**more, **arguments})):
        yield


def run_open_clip(folder, family, seed, model_cfg, preprocess_cfg, dtype=torch.float16, rename=None, **trunk):
    import open_clip
    from safetensors.torch import load_file, save_file

    config = {"model_cfg": dict(model_cfg, text_cfg=TEXT), "preprocess_cfg": preprocess_cfg}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    weights = folder / "open_clip_model.safetensors"
    with trunks_of(**trunk):
        kind = open_clip.CustomTextCLIP if model_cfg.get("custom_text") else open_clip.CLIP
        arguments = {k: v for k, v in model_cfg.items() if k != "custom_text"}
        model = scramble(kind(**arguments, text_cfg=TEXT), seed).to(dtype)
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights, metadata={"format": "pt"})
        model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}", precision="fp32")
    model.eval()
    vectors, pixels = [], []
    for args in PICTURES:
        values = transform(picture(*args).convert("RGB"))
        with torch.no_grad():
            vectors.append(model.encode_image(values[None])[0].numpy())
        pixels.append(values.numpy())
    write_golden(folder, family, PICTURES, vectors, pixels)
    if rename:
        renamed = {rename(k): v for k, v in load_file(weights).items() if rename(k)}
        save_file(renamed, weights, metadata={"format": "pt"})


def make_native(out):
    run_open_clip(
        fresh(out, "open_clip"), "open-clip", 50,
        dict(embed_dim=20, vision_cfg=dict(image_size=32, layers=2, width=36, head_width=12, patch_size=8)),
        dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711],
             interpolation="bicubic", resize_mode="shortest"))
    # Pictures that are no squares; QuickGELU, layer scale.
    run_open_clip(
        fresh(out, "open_clip_quick"), "open-clip", 51,
        dict(embed_dim=24, quick_gelu=True,
             vision_cfg=dict(image_size=[32, 48], layers=2, width=40, head_width=20, patch_size=8, ls_init_value=1e-4,
                             norm_kwargs=dict(eps=1e-3))),
        dict(interpolation="bilinear"))
    # CLIPA's ways: no first norm, the mean, and the last norm of it.
    run_open_clip(
        fresh(out, "open_clip_mean"), "open-clip", 52,
        dict(embed_dim=16, custom_text=True,
             vision_cfg=dict(image_size=30, layers=2, width=36, head_width=12, mlp_ratio=2.3, patch_size=7,
                             no_ln_pre=True, pool_type="avg", final_ln_after_pool=True,
                             act_kwargs=dict(approximate="tanh"))),
        dict(mean=[0.5, 0.45, 0.4], std=[0.25, 0.3, 0.35], interpolation="bilinear", resize_mode="squash"))
    run_open_clip(
        fresh(out, "open_clip_longest"), "open-clip", 53,
        dict(embed_dim=28, vision_cfg=dict(image_size=35, layers=2, width=32, head_width=16, mlp_ratio=3, patch_size=7,
                                           pool_type="avg")),
        dict(resize_mode="longest", interpolation="random"), dtype=torch.bfloat16)


SIGLIP = dict(embed_dim=36, depth=2, num_heads=3, img_size=32, patch_size=8, mlp_ratio=1.7)
EVA02 = dict(embed_dim=36, depth=2, num_heads=3, img_size=40, patch_size=8, mlp_ratio=4 * 2 / 3)
HALF = dict(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], interpolation="bicubic", resize_mode="squash")


def trunk_cfg(name, arguments, pool, proj, **more):
    """The sizes that open_clip does not read of a trunk, and timm does."""
    return dict(image_size=arguments["img_size"], timm_model_name=name, timm_model_pretrained=False, timm_pool=pool,
                timm_proj=proj, width=arguments["embed_dim"], layers=arguments["depth"],
                head_width=arguments["embed_dim"] // arguments["num_heads"], patch_size=arguments["patch_size"],
                mlp_ratio=arguments["mlp_ratio"], **more)


def make_siglip(out):
    run_open_clip(
        fresh(out, "open_clip_siglip"), "siglip", 54,
        dict(embed_dim=36, custom_text=True, init_logit_bias=-10,
             vision_cfg=trunk_cfg("vit_so400m_patch14_siglip_224", SIGLIP, "map", "none")), HALF, **SIGLIP)
    run_open_clip(
        fresh(out, "open_clip_siglip_linear"), "siglip", 55,
        dict(embed_dim=20, custom_text=True,
             vision_cfg=trunk_cfg("vit_base_patch32_siglip_256", SIGLIP, "map", "linear")), HALF, **SIGLIP)
    # A plain trunk, whose classifier projects.
    plain = dict(SIGLIP, num_heads=2)
    run_open_clip(
        fresh(out, "open_clip_vit"), "timm-vit", 56,
        dict(embed_dim=20, custom_text=True, vision_cfg=trunk_cfg("vit_base_patch16_224", plain, "token", None)),
        dict(), **plain)
    cfg = trunk_cfg("vit_large_patch14_clip_224", plain, "token", None)
    run_open_clip(fresh(out, "open_clip_clip_trunk"), "timm-vit", 63, dict(embed_dim=20, vision_cfg=cfg), dict(), **plain)


def make_timm_named(out):
    import timm
    from safetensors.torch import load_file, save_file

    for name, architecture, seed, more in (("timm_siglip", "vit_base_patch16_siglip_224", 57, {}),
                                           ("timm_siglip_gap", "vit_so400m_patch16_siglip_gap_256", 58,
                                            dict(global_pool="avg")),
                                           ("timm_clip", "vit_huge_patch14_clip_quickgelu_224", 64,
                                            dict(global_pool="token"))):
        folder = fresh(out, name)
        model = scramble(timm.create_model(architecture, num_classes=0, **SIGLIP), seed).half()
        save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
        pretrained = dict(input_size=[3, 32, 32], interpolation="bicubic", crop_pct=0.9, crop_mode="center",
                          mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
        (folder / "config.json").write_text(json.dumps({
            "architecture": architecture, "num_classes": 0, "num_features": 36,
            "global_pool": more.get("global_pool", "map"), "model_args": SIGLIP, "pretrained_cfg": pretrained},
            indent=2) + "\n")
        model.float().load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
        run_timm(folder, model, dict(pretrained, input_size=(3, 32, 32)), PICTURES,
                 family="siglip" if "siglip" in name else "timm-vit")


def eva_originals(name):
    """From timm's names to BAAI's own; their buffers of angles are stored too."""
    if not name.startswith("visual.trunk."):
        return name
    name = "visual." + name.removeprefix("visual.trunk.")
    for ours, theirs in ((".attn.norm.", ".attn.inner_attn_ln."), (".attn.q_proj.bias", ".attn.q_bias"),
                         (".attn.v_proj.bias", ".attn.v_bias"), (".mlp.fc1_g.", ".mlp.w1."),
                         (".mlp.fc1_x.", ".mlp.w2."), (".mlp.norm.", ".mlp.ffn_ln."), (".mlp.fc2.", ".mlp.w3.")):
        name = name.replace(ours, theirs)
    return name


def make_eva(out):
    cfg = trunk_cfg("eva02_base_patch16_clip_224", EVA02, "token", None)
    run_open_clip(fresh(out, "eva02"), "eva-clip", 59, dict(embed_dim=20, custom_text=True, vision_cfg=cfg), dict(),
                  **EVA02)
    wide = dict(EVA02, embed_dim=32, num_heads=2, img_size=32)
    cfg = trunk_cfg("eva02_large_patch14_clip_336", wide, "token", None)
    run_open_clip(fresh(out, "eva02_originals"), "eva-clip", 60, dict(embed_dim=24, vision_cfg=cfg), dict(),
                  rename=eva_originals, **wide)
    eva01 = dict(wide, mlp_ratio=1.9)
    cfg = trunk_cfg("eva_giant_patch14_224", eva01, "token", None)
    run_open_clip(fresh(out, "eva01"), "eva-clip", 61, dict(embed_dim=24, custom_text=True, vision_cfg=cfg), dict(),
                  **eva01)
    wide_post = dict(wide, mlp_ratio=1.6)
    cfg = trunk_cfg("eva02_enormous_patch14_clip_224", wide_post, "token", None)
    run_open_clip(fresh(out, "eva02_post_norm"), "eva-clip", 62,
                  dict(embed_dim=24, custom_text=True, vision_cfg=cfg), dict(), **wide_post)


def make_options(out):
    """options.json, as of make_golden_options.py: other picture sizes, and rows of the last hidden state."""
    import open_clip
    from safetensors.torch import load_file, save_file

    def rows(folder, size, row_of, **trunk):
        with trunks_of(**trunk), TemporaryDirectory() as wide:
            # torch resizes no positions of float16.
            shutil.copy(folder / "open_clip_config.json", wide)
            weights = load_file(folder / "open_clip_model.safetensors")
            save_file({k: v.float() for k, v in weights.items()}, f"{wide}/open_clip_model.safetensors")
            model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{wide}", precision="fp32",
                                                                        force_image_size=size)
        if trunk and size:
            model.visual.set_input_size((size, size))
        model.eval()
        with torch.no_grad():
            all_rows = [row_of(model, transform(picture(*args).convert("RGB"))[None]) for args in PICTURES]
        return [[float(f"{v:.9g}") for v in row.numpy()] for row in all_rows]

    def default(model, values):
        return model.encode_image(values)[0]

    def cls(model, values):
        return model.visual.trunk.forward_features(values)[0, 0]

    def mean(model, values):
        return model.visual.trunk.forward_features(values)[0, 1:].mean(0)

    for name, trunk, cases in (("open_clip", {}, ((48, default), (24, default))),
                               ("eva02", EVA02, ((64, default), (None, cls), (64, mean)))):
        goldens = [
            {"image_size": size, "pooling": row_of.__name__, "embeddings": rows(out / name, size, row_of, **trunk)}
            for size, row_of in cases
        ]
        text = json.dumps(goldens).replace('"embeddings": [[', '"embeddings": [\n[').replace("], [", "],\n[")
        (out / name / "options.json").write_text(text + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "tests/golden/models")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for make in (make_native, make_siglip, make_timm_named, make_eva, make_options):
        make(arguments.out)


if __name__ == "__main__":
    main()
