"""A peer's way of a query from text to vector; speaks as benchmarks/end_to_end/text_server.py does.

    text_peer.py ENGINE MODEL_DIRECTORY THREADS

ENGINE is torch or torch-bf16: transformers' tokenizer and text tower.
"""

import json
import os
import sys
import time

QUERY = "red dress"


def main() -> None:
    engine, directory, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import torch
    from transformers import AutoTokenizer, CLIPTextModelWithProjection

    # CUDA's libraries are empty in this environment, and transformers asks them.
    torch.cuda.is_current_stream_capturing = lambda: False
    torch.set_grad_enabled(False)
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    dtype = torch.bfloat16 if engine == "torch-bf16" else torch.float32
    model = CLIPTextModelWithProjection.from_pretrained(directory, dtype=dtype).eval()

    def embed() -> None:
        model(**tokenizer(QUERY, return_tensors="pt")).text_embeds.float().numpy()

    embed()
    print(json.dumps({"device": engine}), file=answers, flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line.split()[1])):
            begun = time.perf_counter()
            embed()
            seconds.append(time.perf_counter() - begun)
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
