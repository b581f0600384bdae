"""The way of a query from text to vector, measured in turns with others.

    text_server.py MODEL_DIRECTORY THREADS PRECISION

reads lines "latency ROUNDS" and answers each with one JSON object: seconds of single texts, tokenizer and Python included.
"""

import json
import sys
import time

import vecframe

QUERY = "red dress"


def main() -> None:
    directory, threads, precision = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    model = vecframe.load_model(directory, threads=threads, precision=precision)
    model.embed_text(QUERY)
    print(json.dumps({"device": "cpu", "precision": precision}), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line.split()[1])):
            begun = time.perf_counter()
            model.embed_text(QUERY)
            seconds.append(time.perf_counter() - begun)
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
