"""The way of a query from text to vector, ours and a peer's, measured in turns; speaks as model_server.cc does.

    text_latency.py ENGINE MODEL_DIRECTORY THREADS

ENGINE is fp32, bf16 or int8 of this library; or torch, torch-bf16: transformers' tokenizer and text tower. Reads lines
"latency ROUNDS" and answers each with one JSON object: seconds of single texts, tokenizer and Python included.
"""

import json
import sys
import time
from collections.abc import Callable

from answers import open_answers

QUERY = "red dress"
Embed = Callable[[], object]


def own(precision: str, directory: str, threads: int) -> Embed:
    import vecframe

    model = vecframe.load_model(directory, threads=threads, precision=precision)
    return lambda: model.embed_text(QUERY)


def torch_tower(engine: str, directory: str, threads: int) -> Embed:
    import torch
    from transformers import AutoTokenizer, CLIPTextModelWithProjection

    # CUDA's libraries are empty in this environment, and transformers asks them.
    torch.cuda.is_current_stream_capturing = lambda: False
    torch.set_grad_enabled(False)
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    dtype = torch.bfloat16 if engine == "torch-bf16" else torch.float32
    model = CLIPTextModelWithProjection.from_pretrained(directory, dtype=dtype).eval()
    return lambda: model(**tokenizer(QUERY, return_tensors="pt")).text_embeds.float().numpy()


def main() -> None:
    engine, directory, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    answers = open_answers()
    embed = (torch_tower if engine.startswith("torch") else own)(engine, directory, threads)
    embed()
    print(json.dumps({"device": "cpu", "engine": engine}), file=answers, flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line.split()[1])):
            begun = time.perf_counter()
            embed()
            seconds.append(time.perf_counter() - begun)
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
