#!/usr/bin/env python3
"""Makes the reference vectors of tests/golden/texts.

For each family with a text tower a tiny random checkpoint with a tiny real tokenizer is made by seed, saved as its
library saves it, loaded back in float32, and run on texts one by one. The checkpoint and `golden.json` (texts, ids,
which of them is pooled, embeddings) are committed.

    python tools/make_golden_texts.py [--out tests/golden/texts] [NAME ...]

Needs tests/golden/requirements.txt.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

import numpy as np
import torch
import transformers
from golden_checkpoint import scramble
from make_golden_tokenizers import CORPUS, clip, gemma, texts
from safetensors.torch import load_file, save_file
from transformers import (
    Aimv2Config,
    Aimv2Model,
    AutoModel,
    AutoTokenizer,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    GemmaTokenizer,
    SiglipConfig,
    SiglipModel,
    SiglipTextConfig,
    SiglipTextModel,
    SiglipTokenizer,
)

# Besides random joins of awkward pieces: the edges, by name.
EDGES = [
    "",
    " ",
    "x",
    "\U0001f642",
    "e\u0301 \u00e9 x\u0308\u0323\u0301",
    "\u6771\u4eac\u306e\u5199\u771f \u732b\u3068\u72ac",
    "<|endoftext|>",
    "a cat<|endoftext|>and a dog",
    "<|startoftext|>a cat",
    "a cat <eos> and <pad><bos>",
    "a cat</s>and a dog<unk>",
    "<extra>",
    "a cat <extra> and a dog",
    "a photo of a cat " * 40,
    "photographers" * 60,
    "1234567890 " * 20,
    "\u00df\u1e9e\u0130\u01c5 \u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3",
]
NUM_TEXTS = 110
VISION = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "image_size": 8, "patch_size": 8}


def golden_texts(seed):
    return EDGES + texts(seed, NUM_TEXTS - len(EDGES))


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def compact_json(path):
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")


def edit_json(path, **changes):
    value = json.loads(path.read_text())
    value.update(changes)
    path.write_text(json.dumps({k: v for k, v in value.items() if v is not None}, indent=2, ensure_ascii=False) + "\n")


def save(folder, model, dtype):
    scramble(model, 17).to(dtype).save_pretrained(folder)


def write_golden(folder, family, rows, given, pooled):
    vectors = np.asarray(rows, np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit[:12] @ unit[:12].T
    golden = {
        "family": family,
        "texts": [text for text, _ in given],
        "ids": [ids for _, ids in given],
        "pooled": pooled,
        "embeddings": [[float(f"{v:.9g}") for v in row] for row in vectors],
    }
    lines = ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in golden.items())
    (folder / "golden.json").write_text("{" + lines.replace("], [", "],\n[") + "}\n")
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{folder}: {vectors.shape}, mean cosine {cosines.mean():.3f}, |v| <= {np.abs(vectors).max():.2f}, {size // 1024} KiB")


def features(model, **inputs):
    with torch.no_grad():
        made = model.get_text_features(**inputs) if hasattr(model, "get_text_features") else model(**inputs)
    return (made if isinstance(made, torch.Tensor) else made.pooler_output)[0].numpy()


def run_causal(folder, family, seed, pooled_position, eager):
    """Texts without padding. With `eager`, the attention mask makes the reference's causal mask."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, **({"attn_implementation": "eager"} if eager else {})).eval()
    rows, given, pooled = [], [], []
    if eager:
        # Without the mask the same texts see what follows them. The vectors must be able to tell.
        ids = tokenizer(["a photo of a cat"], return_tensors="pt")["input_ids"]
        causal, seeing = features(model, input_ids=ids, attention_mask=torch.ones_like(ids)), features(model, input_ids=ids)
        assert np.abs(causal - seeing).max() > 0.1, f"{folder}: the same with and without the causal mask"
    for text in golden_texts(seed):
        inputs = tokenizer([text], truncation=True, return_tensors="pt")
        ids = inputs["input_ids"][0].tolist()
        given.append((text, ids))
        pooled.append(pooled_position(ids))
        rows.append(features(model, **inputs))
    write_golden(folder, family, rows, given, pooled)


def run_padded(folder, family, seed, kind=AutoModel):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    rows, given, pooled = [], [], []
    for text in golden_texts(seed):
        ids = tokenizer([text], padding="max_length", truncation=True, return_tensors="pt")["input_ids"]
        given.append((text, ids[0].tolist()))
        pooled.append(ids.shape[1] - 1)
        rows.append(features(model, input_ids=ids))
    write_golden(folder, family, rows, given, pooled)


def clip_tokenizer(folder, max_tokens, extra):
    """CLIP's, with one more token behind <|endoftext|> if `extra`; returns the number of tokens."""
    clip(folder)
    file = json.loads((folder / "tokenizer.json").read_text())
    size = len(file["model"]["vocab"])
    if extra:
        file["model"]["vocab"]["<extra>"] = size
        file["added_tokens"].append(file["added_tokens"][-1] | {"id": size, "content": "<extra>"})
        size += 1
    (folder / "tokenizer.json").write_text(json.dumps(file))
    compact_json(folder / "tokenizer.json")
    edit_json(folder / "tokenizer_config.json", model_max_length=max_tokens)
    return size


def clip_text_config(size, **more):
    config = {"vocab_size": size, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3,
              "max_position_embeddings": 20, "bos_token_id": size - 2, "eos_token_id": size - 1, "pad_token_id": 0}
    return config | more


def first(value):
    return lambda ids: ids.index(value)


def clip_text(folder):
    size = clip_tokenizer(folder, 20, extra=False)
    config = CLIPConfig(text_config=clip_text_config(size), vision_config=VISION, projection_dim=20)
    save(folder, CLIPModel(config), torch.float16)
    run_causal(folder, "clip", 1, first(size - 1), eager=False)


def clip_end_not_largest(folder):
    """eos_token_id is not the largest id: the two rules of pooling differ. model_max_length is below the positions."""
    size = clip_tokenizer(folder, 14, extra=True)
    config = CLIPConfig(text_config=clip_text_config(size, eos_token_id=size - 2, hidden_act="gelu"), vision_config=VISION, projection_dim=11)
    save(folder, CLIPModel(config), torch.bfloat16)
    run_causal(folder, "clip", 2, first(size - 2), eager=False)


def clip_legacy(folder):
    """eos_token_id 2, text_config_dict beside a misleading text_config, vocab.json with merges.txt."""
    size = clip_tokenizer(folder, 20, extra=True)
    text = clip_text_config(size, eos_token_id=2)
    config = CLIPConfig(text_config=text, vision_config=VISION, projection_dim=12)
    save(folder, CLIPModel(config), torch.bfloat16)
    edit_json(folder / "config.json", text_config=text | {"num_attention_heads": 2, "eos_token_id": size - 2}, text_config_dict=text)
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model["merges"]))
    (folder / "tokenizer.json").unlink()
    edit_json(folder / "tokenizer_config.json", extra_special_tokens=["<extra>"])
    run_causal(folder, "clip", 3, lambda ids: ids.index(max(ids)), eager=False)


def clip_text_alone(folder):
    """A CLIPTextModel: no projection, and no prefix in its names."""
    size = clip_tokenizer(folder, 20, extra=False)
    save(folder, CLIPTextModel(CLIPTextConfig(**clip_text_config(size, hidden_size=16, num_attention_heads=2))), torch.bfloat16)
    run_causal(folder, "clip", 4, first(size - 1), eager=False)


def siglip_text_config(size, **more):
    config = {"vocab_size": size, "hidden_size": 24, "intermediate_size": 44, "num_hidden_layers": 2, "num_attention_heads": 3,
              "max_position_embeddings": 16}
    return config | more


def siglip2(folder):
    """Fixed-resolution SigLIP 2 is stored as SigLIP, with Gemma's tokenizer; its head is wider than the tower."""
    gemma(folder, GemmaTokenizer, True)
    file = json.loads((folder / "tokenizer.json").read_text())
    size = len(file["model"]["vocab"]) + 1  # one added token
    made = GemmaTokenizer.from_pretrained(folder, padding_side="right", model_max_length=16)
    made.add_eos_token = True
    made.save_pretrained(folder)
    compact_json(folder / "tokenizer.json")
    config = SiglipConfig(text_config=siglip_text_config(size + 8, projection_size=30), vision_config=VISION)
    save(folder, SiglipModel(config), torch.bfloat16)
    run_padded(folder, "siglip", 5)


def siglip(folder):
    import sentencepiece

    (folder / "corpus.txt").write_text("\n".join(CORPUS).lower())
    # A few rules in place of nmt_nfkc, whose table would be most of the file.
    rules = {"\u00a0": " ", "\u3000": " ", "\t": " ", "\ufb01": "fi", "\u00bd": "1\u20442", "\u2167": "VIII", "e\u0301": "\u00e9", "\u200b": " "}
    codes = {k: " ".join(f"{ord(c):X}" for c in v) for k, v in rules.items()}
    (folder / "rules.tsv").write_text("".join(f"{' '.join(f'{ord(c):X}' for c in k)}\t{v}\n" for k, v in codes.items()))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "corpus.txt"), model_prefix=str(folder / "spiece"), vocab_size=300, model_type="unigram",
        hard_vocab_limit=False, normalization_rule_tsv=str(folder / "rules.tsv"), pad_id=0, eos_id=1, unk_id=2, bos_id=-1, character_coverage=0.98, minloglevel=2)
    (folder / "corpus.txt").unlink()
    (folder / "rules.tsv").unlink()
    (folder / "spiece.vocab").unlink()
    made = SiglipTokenizer(str(folder / "spiece.model"), model_max_length=16)
    made.save_pretrained(folder)
    save(folder, SiglipModel(SiglipConfig(text_config=siglip_text_config(made.vocab_size), vision_config=VISION)), torch.bfloat16)
    run_padded(folder, "siglip", 6)


def siglip_text_alone(folder):
    """A SiglipTextModel: its sizes stand at the top of the config."""
    for name in ("spiece.model", "tokenizer_config.json"):
        shutil.copy(folder.parent / "siglip" / name, folder)
    size = AutoTokenizer.from_pretrained(folder.parent / "siglip").vocab_size
    config = SiglipTextConfig(**siglip_text_config(size, hidden_size=16, num_attention_heads=1, hidden_act="gelu"))
    save(folder, SiglipTextModel(config), torch.float16)
    run_padded(folder, "siglip", 8, SiglipTextModel)  # AutoModel does not know it


def aimv2(folder):
    size = clip_tokenizer(folder, 20, extra=True)
    text = {"vocab_size": size, "hidden_size": 24, "intermediate_size": 28, "num_hidden_layers": 2, "num_attention_heads": 3,
            "max_position_embeddings": 20, "eos_token_id": size - 2, "hidden_act": "silu"}
    save(folder, Aimv2Model(Aimv2Config(text_config=text, vision_config=VISION, projection_dim=20)), torch.bfloat16)
    run_causal(folder, "aimv2", 7, first(size - 2), eager=True)


APPLE = [
    (r"text_model\.embeddings\.token_embedding", "text_encoder.preprocessor.text_embedding"),
    (r"text_model\.embeddings\.position_embedding\.weight", "text_encoder.preprocessor.positional_embedding"),
    (r"text_model\.encoder\.layers\.(\d+)\.attention\.out_proj", r"text_encoder.trunk.blocks.\1.attn.proj"),
    (r"text_model\.encoder\.layers\.(\d+)\.ffn\.gate_proj", r"text_encoder.trunk.blocks.\1.mlp.fc1"),
    (r"text_model\.encoder\.layers\.(\d+)\.ffn\.up_proj", r"text_encoder.trunk.blocks.\1.mlp.fc3"),
    (r"text_model\.encoder\.layers\.(\d+)\.ffn\.down_proj", r"text_encoder.trunk.blocks.\1.mlp.fc2"),
    (r"text_model\.encoder\.layers\.(\d+)\.rms_norm(\d)", r"text_encoder.trunk.blocks.\1.norm_\2"),
    (r"text_model\.rms_norm", "text_encoder.trunk.post_trunk_norm"),
    (r"text_projection", "text_projector"),
]


def aimv2_apple(folder):
    """The text tower of `aimv2` under Apple's names, with q, k and v in one matrix; its vectors are the same."""
    source = folder.parent / "aimv2"
    for file in source.iterdir():
        shutil.copy(file, folder)
    renamed = {}
    for name, value in load_file(source / "model.safetensors").items():
        if not name.startswith("text_") or ".k_proj" in name or ".v_proj" in name:
            continue
        if ".q_proj" in name:
            layer = name.split(".")[3]
            parts = [load_file(source / "model.safetensors")[name.replace("q_proj", f"{c}_proj")] for c in "qkv"]
            renamed[f"text_encoder.trunk.blocks.{layer}.attn.qkv.weight"] = torch.cat(parts)
            continue
        for pattern, replacement in APPLE:
            name = re.sub(f"^{pattern}", replacement, name)
        assert "text_model" not in name, name
        renamed[name] = value
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})


MADE = [clip_text, clip_end_not_largest, clip_legacy, clip_text_alone, siglip2, siglip, siglip_text_alone, aimv2, aimv2_apple]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "tests/golden/texts")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    for make in MADE:
        if not arguments.names or make.__name__ in arguments.names:
            make(fresh(arguments.out / make.__name__))


if __name__ == "__main__":
    main()
