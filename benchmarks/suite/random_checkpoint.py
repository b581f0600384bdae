"""Writes checkpoints of the real shapes with random weights, which are as fast as trained ones.

Of a CLIP one tower has the real shape. The other is two narrow layers: libraries want the whole model. Real vocabularies
have more rows, of which a text reads as few as here.
"""

import json
import pathlib

import numpy

CLIP_SIZES = {
    "clip-b32": {"patch": 32, "width": 768, "layers": 12, "heads": 12, "projection": 512},
    "clip-b16": {"patch": 16, "width": 768, "layers": 12, "heads": 12, "projection": 512},
    "clip-l14": {"patch": 14, "width": 1024, "layers": 24, "heads": 16, "projection": 768},
}
SIGLIP_SIZES = {"siglip-b16": {"patch": 16, "width": 768, "layers": 12, "heads": 12}}
NAMES = [*CLIP_SIZES, *SIGLIP_SIZES]
NARROW = {"width": 64, "layers": 2, "heads": 2}
# The text tower of CLIP ViT-B/32 and B/16.
TEXT_SIZES = {"clip-text-b": {"patch": 32, **NARROW, "projection": 512, "text": {"width": 512, "layers": 12, "heads": 8}}}
VOCABULARY = 514
IMAGE = 224


class Tensors:
    def __init__(self) -> None:
        self._random = numpy.random.default_rng(1)
        self.tensors: dict[str, numpy.ndarray] = {}

    def weight(self, name: str, *shape: int) -> None:
        self.tensors[name] = self._random.standard_normal(shape, numpy.float32) * numpy.float32(0.02)

    def linear(self, name: str, out: int, inputs: int) -> None:
        self.weight(f"{name}.weight", out, inputs)
        self.weight(f"{name}.bias", out)

    def norm(self, name: str, width: int) -> None:
        self.tensors[f"{name}.weight"] = numpy.ones(width, numpy.float32)
        self.tensors[f"{name}.bias"] = numpy.zeros(width, numpy.float32)

    def layers(self, name: str, count: int, width: int) -> None:
        for i in range(count):
            layer = f"{name}.encoder.layers.{i}"
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                self.linear(f"{layer}.self_attn.{part}", width, width)
            self.norm(f"{layer}.layer_norm1", width)
            self.norm(f"{layer}.layer_norm2", width)
            self.linear(f"{layer}.mlp.fc1", 4 * width, width)
            self.linear(f"{layer}.mlp.fc2", width, 4 * width)

    def save(self, path: pathlib.Path) -> None:
        header, offset = {}, 0
        for name, values in self.tensors.items():
            header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
            offset += values.nbytes
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for values in self.tensors.values():
                file.write(numpy.ascontiguousarray(values).tobytes())


def processor(kind: str, mean: list[float], std: list[float]) -> dict:
    common = {"do_resize": True, "resample": 3, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
              "image_mean": mean, "image_std": std, "do_convert_rgb": True, "image_processor_type": kind}
    if kind == "CLIPImageProcessor":
        return {**common, "do_center_crop": True, "crop_size": IMAGE, "size": {"shortest_edge": IMAGE}}
    return {**common, "size": {"height": IMAGE, "width": IMAGE}}


def byte_tokenizer(directory: pathlib.Path) -> None:
    """A tokenizer of single bytes."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in visible] + [chr(256 + n) for n in range(256 - len(visible))]
    words = letters + [letter + "</w>" for letter in letters] + ["<|startoftext|>", "<|endoftext|>"]
    (directory / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (directory / "merges.txt").write_text("#version: 0.2\n")
    (directory / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>",
         "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}))


def write_clip(directory: pathlib.Path, patch: int, width: int, layers: int, heads: int, projection: int,
               text: dict[str, int] = NARROW) -> None:
    t = Tensors()
    embeddings = "vision_model.embeddings"
    t.weight(f"{embeddings}.class_embedding", width)
    t.weight(f"{embeddings}.patch_embedding.weight", width, 3, patch, patch)
    t.weight(f"{embeddings}.position_embedding.weight", (IMAGE // patch) ** 2 + 1, width)
    t.norm("vision_model.pre_layrnorm", width)
    t.layers("vision_model", layers, width)
    t.norm("vision_model.post_layernorm", width)
    t.weight("visual_projection.weight", projection, width)
    t.weight("text_model.embeddings.token_embedding.weight", VOCABULARY, text["width"])
    t.weight("text_model.embeddings.position_embedding.weight", 77, text["width"])
    t.layers("text_model", text["layers"], text["width"])
    t.norm("text_model.final_layer_norm", text["width"])
    t.weight("text_projection.weight", projection, text["width"])
    t.tensors["logit_scale"] = numpy.float32(2.6592).reshape(())
    t.save(directory / "model.safetensors")
    act = {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "projection_dim": projection}
    config = {
        "model_type": "clip", "architectures": ["CLIPModel"], "projection_dim": projection, "logit_scale_init_value": 2.6592,
        "vision_config": {**act, "model_type": "clip_vision_model", "hidden_size": width, "intermediate_size": 4 * width,
                          "num_hidden_layers": layers, "num_attention_heads": heads, "image_size": IMAGE, "patch_size": patch},
        "text_config": {**act, "model_type": "clip_text_model", "hidden_size": text["width"], "intermediate_size": 4 * text["width"],
                        "num_hidden_layers": text["layers"], "num_attention_heads": text["heads"], "vocab_size": VOCABULARY,
                        "max_position_embeddings": 77, "bos_token_id": VOCABULARY - 2, "eos_token_id": VOCABULARY - 1},
    }
    (directory / "config.json").write_text(json.dumps(config, indent=1))
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    (directory / "preprocessor_config.json").write_text(json.dumps(processor("CLIPImageProcessor", mean, std), indent=1))
    byte_tokenizer(directory)


def write_siglip(directory: pathlib.Path, patch: int, width: int, layers: int, heads: int) -> None:
    t = Tensors()
    t.weight("vision_model.embeddings.patch_embedding.weight", width, 3, patch, patch)
    t.weight("vision_model.embeddings.patch_embedding.bias", width)
    t.weight("vision_model.embeddings.position_embedding.weight", (IMAGE // patch) ** 2, width)
    t.layers("vision_model", layers, width)
    t.norm("vision_model.post_layernorm", width)
    t.weight("vision_model.head.probe", 1, 1, width)
    t.weight("vision_model.head.attention.in_proj_weight", 3 * width, width)
    t.weight("vision_model.head.attention.in_proj_bias", 3 * width)
    t.linear("vision_model.head.attention.out_proj", width, width)
    t.norm("vision_model.head.layernorm", width)
    t.linear("vision_model.head.mlp.fc1", 4 * width, width)
    t.linear("vision_model.head.mlp.fc2", width, 4 * width)
    t.save(directory / "model.safetensors")
    config = {"model_type": "siglip_vision_model", "architectures": ["SiglipVisionModel"], "hidden_size": width,
              "intermediate_size": 4 * width, "num_hidden_layers": layers, "num_attention_heads": heads,
              "image_size": IMAGE, "patch_size": patch, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6}
    (directory / "config.json").write_text(json.dumps(config, indent=1))
    half = [0.5, 0.5, 0.5]
    (directory / "preprocessor_config.json").write_text(json.dumps(processor("SiglipImageProcessor", half, half), indent=1))


def checkpoint(root: pathlib.Path, name: str) -> pathlib.Path:
    """The directory of a checkpoint, written if it is not there."""
    directory = root / name
    if (directory / "preprocessor_config.json").exists():
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    if clip := (CLIP_SIZES | TEXT_SIZES).get(name):
        write_clip(directory, **clip)
    else:
        write_siglip(directory, **SIGLIP_SIZES[name])
    return directory
