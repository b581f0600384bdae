"""A peer's model, ready to be measured in turns with others; speaks as benchmarks/end_to_end/model_server.cc does.

    model_peer.py ENGINE MODEL_DIRECTORY THREADS CACHE

ENGINE is torch, torch-compiled, torch-bf16, onnxruntime, onnxruntime-int8 or openvino. Exported graphs are kept in CACHE;
the engine export makes the graph and ends.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable

import numpy
from answers import open_answers

Run = Callable[[numpy.ndarray], object]
SIDE = 224


def torch_tower(directory: str):
    import torch
    from transformers import AutoConfig, CLIPVisionModelWithProjection, SiglipVisionModel

    torch.set_grad_enabled(False)
    kind = CLIPVisionModelWithProjection if AutoConfig.from_pretrained(directory).model_type == "clip" else SiglipVisionModel
    return kind.from_pretrained(directory).eval()


def torch_run(directory: str, threads: int, *, compiled: bool, bf16: bool) -> Run:
    import torch

    torch.set_num_threads(threads)
    model = torch_tower(directory)
    if bf16:
        model = model.to(torch.bfloat16)
    if compiled:
        model = torch.compile(model, dynamic=False)
    dtype = torch.bfloat16 if bf16 else torch.float32
    return lambda pixels: model(pixel_values=torch.from_numpy(pixels).to(dtype))


def exported(directory: str, cache: pathlib.Path) -> pathlib.Path:
    path = cache / pathlib.Path(directory).name / "model.onnx"
    if path.exists():
        return path
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    model = torch_tower(directory)

    class Vectors(torch.nn.Module):
        def forward(self, pixel_values):
            out = model(pixel_values=pixel_values)
            return out.image_embeds if hasattr(out, "image_embeds") else out.pooler_output

    batch = torch.export.Dim("batch", min=1, max=1024)
    torch.onnx.export(Vectors(), (torch.zeros(2, 3, SIDE, SIDE),), str(path), input_names=["pixel_values"],
                      output_names=["image_embeds"], dynamic_shapes={"pixel_values": {0: batch}}, dynamo=True)
    return path


def quantized(path: pathlib.Path) -> pathlib.Path:
    to = path.with_name("model-int8.onnx")
    if not to.exists():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(path, to, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"])
    return to


def onnxruntime_run(path: pathlib.Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixel_values": pixels})


def openvino_run(path: pathlib.Path, threads: int, hint: str) -> Run:
    import openvino

    core = openvino.Core()
    config = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"}
    model = core.compile_model(core.read_model(path), "CPU", config)
    return lambda pixels: model(pixels)


def run_of(engine: str, directory: str, threads: int, cache: pathlib.Path) -> Run:
    if engine.startswith("torch"):
        return torch_run(directory, threads, compiled=engine == "torch-compiled", bf16=engine == "torch-bf16")
    path = exported(directory, cache)
    if engine == "onnxruntime":
        return onnxruntime_run(path, threads)
    if engine == "onnxruntime-int8":
        return onnxruntime_run(quantized(path), threads)
    if engine == "openvino":
        return openvino_run(path, threads, "LATENCY")
    sys.exit(f"model_peer: '{engine}' is not known")


def rate(run: Run, batch: int, seconds: float) -> dict:
    pixels = numpy.random.default_rng(0).standard_normal((batch, 3, SIDE, SIDE), numpy.float32)
    run(pixels)
    begun, cpu, calls = time.perf_counter(), time.process_time(), 0
    while calls == 0 or time.perf_counter() - begun < seconds:
        run(pixels)
        calls += 1
    return {"images_per_second": calls * batch / (time.perf_counter() - begun),
            "images_per_cpu_second": calls * batch / (time.process_time() - cpu)}


def latency(run: Run, rounds: int) -> dict:
    pixels = numpy.random.default_rng(0).standard_normal((1, 3, SIDE, SIDE), numpy.float32)
    run(pixels)
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run(pixels)
        seconds.append(time.perf_counter() - begun)
    return {"seconds": seconds}


def main() -> None:
    engine, directory, threads, cache = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
    answers = open_answers()
    if engine == "export":
        exported(directory, cache)
        return
    run = run_of(engine, directory, threads, cache)
    print(json.dumps({"device": engine}), file=answers, flush=True)
    for line in sys.stdin:
        command, *numbers = line.split()
        result = rate(run, int(numbers[0]), float(numbers[1])) if command == "rate" else latency(run, int(numbers[0]))
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
