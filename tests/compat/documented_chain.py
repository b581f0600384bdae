"""The chain that the reference dataframe documents for embed_image, over local files: FOLDER MODEL OUTPUT.json.

Its first two lines of code name the library. Everything else runs unchanged with `import vecframe as daft` and
`from vecframe.functions import ...` in their place.
"""

import daft
from daft.functions import decode_image, embed_image

import json
import sys

folder, model, output = sys.argv[1:]

df = (
    # Discover a few images
    daft.from_glob_path(folder + "/*")
    # Read the 4 PNG, JPEG, TIFF, WEBP Images
    .with_column("image_bytes", daft.col("path").download())
    # Decode the image bytes into an Image
    .with_column("image_type", decode_image(daft.col("image_bytes")))
    # Convert Image to RGB and resize the image to 288x288
    .with_column("image_resized", daft.col("image_type").convert_image("RGB").resize(288, 288))
    # Embed the image
    .with_column(
        "image_embeddings",
        embed_image(daft.col("image_resized"), provider="transformers", model=model),
    )
)
df.show()

rows = df.select("path", "size", "image_embeddings").to_pydict()
result = {
    "schema": [[field.name, str(field.dtype)] for field in df.schema()],
    "files": [path.rsplit("/", 1)[-1] for path in rows["path"]],
    "sizes": rows["size"],
    "embeddings": [[float(value) for value in vector] for vector in rows["image_embeddings"]],
}
with open(output, "w") as file:
    json.dump(result, file)
