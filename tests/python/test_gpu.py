"""device="cuda": what it opens, and what it says where there is no GPU."""

import ctypes
import pathlib
import subprocess
import sys

import pytest
import vecframe as vf
from vecframe import col
from vecframe.functions import embed_image


def has_gpu() -> bool:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def test_a_gpu_that_is_not_there_fails_with_one_line_when_the_plan_is_built(model, photos):
    device = "cuda:9" if has_gpu() else "cuda"
    with pytest.raises(vf.RequestError) as error:
        vf.read_images(str(photos)).with_column("e", embed_image(col("image"), model=model, device=device))
    message = str(error.value)
    assert f"device: '{device}' is not available here (" in message
    assert "use one of: auto, " in message
    assert "\n" not in message


def test_a_number_that_is_none_is_explained(model):
    with pytest.raises(vf.RequestError, match="cuda:0,2"):
        embed_image(col("image"), model=model, device="cuda:first")


@pytest.mark.skipif(has_gpu(), reason="auto opens the backend of the GPU that is here")
def test_the_backend_is_not_opened_unless_it_is_asked_for(model):
    program = f"""
import vecframe as vf
from vecframe import col
from vecframe.functions import embed_image
embed_image(col("image"), model={model!r})
print("vecframe_cuda" in open("/proc/self/maps").read(), "cublas" in open("/proc/self/maps").read())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_module_needs_no_driver_to_load():
    module = pathlib.Path(vf._native.__file__).resolve().parents[2] / "lib" / "libvecframe_cuda.so"
    if not module.exists():
        pytest.skip(f"{module.name} was not built: nvcc was not there")
    assert ctypes.CDLL(str(module)).vecframe_backend_module
