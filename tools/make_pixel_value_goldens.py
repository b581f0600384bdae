"""Writes tests/golden/pixel_values.json: checksums of the pixel values of model processors.

Run where transformers >= 5, torch, torchvision, timm and Pillow >= 13 are installed, on an x86 CPU
with AVX2. A recipe is a list of the fields of a PrepareSpec and, for some pictures [width, height,
seed], the CRC-32 of the float32 bytes [3, height, width] that the processor itself returns, or, of
NaFlex's, of its patches without padding. `patch_sizes` holds, by patch and greatest number of patches,
the CRC-32 of the uint32 widths and heights to which it resizes the pictures of patch_size_inputs().
"""

import json
import random
import zlib

import numpy as np
import timm
import torch
import transformers
from PIL import Image
from timm.data import create_transform

from make_resize_goldens import FILTERS, TARGET, picture

FILTER_NAMES = {number: name for name, number in FILTERS.items()}
SIZES = [(47, 33), (33, 47), (41, 41), (90, 20), (19, 101), (13, 9), (5, 64), (1, 3), (120, 91)]

# Class, arguments of its constructor.
PROCESSORS = [
    ("CLIPImageProcessor", {}),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 40}, crop_size={"height": 40, "width": 40})),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 31}, crop_size={"height": 48, "width": 36})),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 30}, crop_size={"height": 37, "width": 45})),
    ("CLIPImageProcessor", dict(do_resize=False, crop_size={"height": 40, "width": 34})),
    ("CLIPImageProcessor", dict(size={"height": 29, "width": 50}, crop_size={"height": 36, "width": 27})),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 40}, crop_size={"height": 33, "width": 33},
                                do_normalize=False)),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 40}, crop_size={"height": 33, "width": 33},
                                do_rescale=False)),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 40}, crop_size={"height": 33, "width": 33},
                                do_rescale=False, do_normalize=False)),
    ("CLIPImageProcessor", dict(size={"shortest_edge": 40}, crop_size={"height": 33, "width": 33},
                                resample=2, rescale_factor=1 / 127.5)),
    ("SiglipImageProcessor", {}),
    ("SiglipImageProcessor", dict(size={"height": 38, "width": 51}, resample=2)),
    ("BitImageProcessor", dict(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224},
                               image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])),
    ("BitImageProcessor", dict(size={"shortest_edge": 45}, crop_size={"height": 38, "width": 39})),
    ("ViTImageProcessor", {}),
    ("ViTImageProcessor", dict(size={"height": 32, "width": 32}, resample=3,
                               image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])),
    ("DeiTImageProcessor", {}),
    ("DeiTImageProcessor", dict(size={"height": 40, "width": 37}, crop_size={"height": 31, "width": 42})),
]

# Arguments of timm's create_transform.
TIMM = [
    dict(input_size=(3, 48, 48), crop_pct=0.9, interpolation="bicubic"),
    dict(input_size=(3, 40, 40), crop_pct=0.875, interpolation="bilinear"),
    dict(input_size=(3, 33, 33), crop_pct=1.0, interpolation="bicubic",
         mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    dict(input_size=(3, 36, 36), crop_pct=0.95, interpolation="bicubic", crop_mode="squash"),
    dict(input_size=(3, 40, 40), crop_pct=1.1, interpolation="bicubic"),
]


def resize_fields(size):
    if "shortest_edge" in size:
        return {"resize": "shortest_edge", "shortest_edge": size["shortest_edge"]}
    return {"resize": "exact", "resize_height": size["height"], "resize_width": size["width"]}


def fields_of(processor, pillow):
    fields = {"resize": "none"}
    if processor.do_resize and processor.size is not None:
        fields = resize_fields(dict(processor.size))
    if getattr(processor, "do_center_crop", None):
        fields["crop"] = "pillow" if pillow else "torchvision"
        fields["crop_height"] = processor.crop_size["height"]
        fields["crop_width"] = processor.crop_size["width"]
    fields["filter"] = FILTER_NAMES[int(processor.resample)]
    fields["resampler"] = "pillow13" if pillow else "torchvision"
    fields["do_rescale"] = bool(processor.do_rescale)
    fields["rescale_factor"] = processor.rescale_factor
    fields["do_normalize"] = bool(processor.do_normalize)
    fields["mean"] = list(processor.image_mean)
    fields["std"] = list(processor.image_std)
    fields["normalize"] = "stepwise" if pillow else "fused"
    return fields


def pixel_values(processor, image):
    values = processor(images=image, return_tensors="np", input_data_format=None)["pixel_values"][0]
    return np.asarray(values, np.float32)


def processor_recipes():
    for name, arguments in PROCESSORS:
        for pillow in (False, True):
            class_name = name + ("Pil" if pillow else "")
            processor = getattr(transformers, class_name)(**arguments)
            yield class_name, fields_of(processor, pillow), lambda im, p=processor: pixel_values(p, im)


def timm_recipes():
    for arguments in TIMM:
        side = arguments["input_size"][1]
        transform = create_transform(**arguments, is_training=False)
        resized = int(np.floor(side / arguments["crop_pct"]))
        fields = {"resize": "shortest_edge", "shortest_edge": resized}
        if arguments.get("crop_mode") == "squash":
            fields = {"resize": "exact", "resize_height": resized, "resize_width": resized}
        fields.update(
            crop="round", crop_height=side, crop_width=side, filter=arguments["interpolation"],
            resampler="pillow13", normalize="timm",
            mean=list(arguments.get("mean", timm.data.IMAGENET_DEFAULT_MEAN)),
            std=list(arguments.get("std", timm.data.IMAGENET_DEFAULT_STD)),
        )
        yield "timm", fields, lambda im, t=transform: t(im).numpy()


def lite_recipe():
    """EfficientNet-lite: the centre square of 224/256 of the shorter side, (x - 127) / 128."""
    fields = dict(resize="centre_square", resize_height=48, resize_width=48,
                  square_fraction=224 / 256, filter="bicubic", resampler="pillow13",
                  do_rescale=False, mean=[127.0] * 3, std=[128.0] * 3, normalize="stepwise")

    def apply(image):
        side = int(min(image.size) * 224 / 256)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side)).resize((48, 48), Image.BICUBIC)
        values = (np.asarray(image).astype(np.float32) - np.float32(127)) / np.float32(128)
        return values.transpose(2, 0, 1)

    yield "efficientnet_lite", fields, apply


# Patch size, greatest number of patches, and what else the constructor takes.
NAFLEX = [
    (16, 256, {}),
    (16, 64, dict(resample=3)),
    (14, 100, dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])),
    (7, 1, {}),
    (5, 37, dict(do_normalize=False)),
]


def naflex_recipes():
    for patch, patches, arguments in NAFLEX:
        for pillow in (False, True):
            name = "Siglip2ImageProcessor" + ("Pil" if pillow else "")
            processor = getattr(transformers, name)(patch_size=patch, max_num_patches=patches, **arguments)
            fields = fields_of(processor, pillow) | {"resize": "patches", "patch": patch, "max_patches": patches}

            def apply(image, processor=processor):
                batch = processor(images=image, return_tensors="np", input_data_format=None)
                rows, columns = batch["spatial_shapes"][0]
                return np.asarray(batch["pixel_values"][0][: rows * columns], np.float32)

            yield name, fields, apply


def patch_size_inputs():
    return [(1 + 61 * i, 1 + 43 * j) for i in range(80) for j in range(80)]


def patch_sizes():
    from transformers.models.siglip2.image_processing_siglip2 import get_image_size_for_max_num_patches as fit

    for patch, patches in ((16, 256), (16, 1024), (14, 196), (1, 7)):
        sizes = [fit(height, width, patch, patches)[::-1] for width, height in patch_size_inputs()]
        yield [patch, patches, zlib.crc32(np.asarray(sizes, "<u4").tobytes())]


def main():
    rng = random.Random(20260102)
    recipes = []
    for source in (processor_recipes, timm_recipes, lite_recipe, naflex_recipes):
        for name, fields, apply in source():
            pictures = []
            for width, height in SIZES + ([(1, 1), (700, 2), (1, 900)] if fields["resize"] == "patches" else []):
                if fields["resize"] == "centre_square" and min(width, height) == 1:
                    continue  # no pixel left
                seed = rng.randrange(1 << 31)
                values = apply(Image.fromarray(picture(3, width, height, seed), "RGB"))
                assert values.dtype == np.float32, (name, values.dtype)
                assert values.shape[0] == 3 or fields["resize"] == "patches", (name, values.shape)
                crc = zlib.crc32(np.ascontiguousarray(values).tobytes())
                pictures.append([width, height, seed, crc])
            recipes.append({"name": name, "spec": fields, "pictures": pictures})
    made_by = f"transformers {transformers.__version__}, torch {torch.__version__}, timm {timm.__version__}"
    lines = ",\n".join(json.dumps(recipe) for recipe in recipes)
    TARGET.with_name("pixel_values.json").write_text(
        f'{{"made_by": {json.dumps(made_by)},\n"patch_sizes": {json.dumps(list(patch_sizes()))},\n'
        f'"recipes": [\n{lines}\n]}}\n'
    )


if __name__ == "__main__":
    main()
