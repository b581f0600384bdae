"""Models of a hub: described without their weights, downloaded with a line, interrupted at once."""

import io
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import vecframe as vf
from hub_process import MODEL, Hub
from vecframe.functions import embed_image

PROGRAM = """
import sys
import vecframe as vf
from vecframe.functions import embed_image, embed_text

print("running", flush=True)
try:
    CALL
except KeyboardInterrupt:
    print("stopped", flush=True)
    sys.exit(0)
print("finished", flush=True)
"""


@pytest.fixture()
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    yield hub
    hub.close()


def test_a_description_fetches_no_weights(hub, tmp_path):
    hub.add("owner/tiny")
    info, local = vf.describe_model("owner/tiny"), vf.describe_model(str(MODEL))
    for name in ["family", "dimension", "image_height", "image_width", "processor", "parameters", "gflop_per_image",
                 "has_text_tower"]:
        assert getattr(info, name) == getattr(local, name), name
    assert (info.state, info.directory, len(info.revision)) == ("not downloaded", "", 40)
    assert (local.state, local.directory, local.revision) == ("directory", str(MODEL), "")
    assert all(r["range"] for r in hub.requests() if r["role"] == "cdn")
    assert not (tmp_path / "cache").exists()

    embed_image(vf.col("image"), model="owner/tiny")
    cached = vf.describe_model("owner/tiny")
    assert cached.state == "cached"
    assert pathlib.Path(cached.directory) == tmp_path / "cache" / "models--owner--tiny" / "snapshots" / info.revision


def test_errors_come_out_of_the_download(hub):
    with pytest.raises(vf.RequestError, match="no such model"):
        embed_image(vf.col("image"), model="owner/gone")
    with pytest.raises(vf.RequestError, match="no such model"):
        vf.describe_model("owner/gone")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_the_download(hub, monkeypatch):
    hub.add("owner/tiny", slow=2)
    monkeypatch.setattr(sys, "stderr", Terminal())
    embed_image(vf.col("image"), model="owner/tiny")
    lines = sys.stderr.getvalue().split("\r")
    size = (MODEL / "model.safetensors").stat().st_size / 1e6
    shown = [line for line in lines if line.startswith("model.safetensors")]
    assert len(shown) >= 5 and f"/{size:.1f} MB" in shown[0], lines
    assert any("MB/s" in line and "left" in line for line in shown), lines
    assert lines[-1] == "" and lines[-2].strip() == ""  # wiped


def test_a_failing_line_ends_the_download(hub, monkeypatch):
    class Broken(Terminal):
        def write(self, text):
            raise LookupError("no terminal any more")

    hub.add("owner/tiny", slow=600)
    monkeypatch.setattr(sys, "stderr", Broken())
    started = time.monotonic()
    with pytest.raises(LookupError, match="no terminal any more"):
        embed_image(vf.col("image"), model="owner/tiny")
    assert time.monotonic() - started < 100


@pytest.mark.parametrize("call, kept", [
    ('embed_image(vf.col("image"), model="owner/tiny")', True),
    ('embed_text(vf.col("text"), model="owner/tiny")', True),
    ('vf.describe_model("owner/tiny")', False),
])
def test_ctrl_c_is_a_keyboard_interrupt_while_no_data_come(hub, tmp_path, call, kept):
    hub.add("owner/tiny", drip=600)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.replace("CALL", call)], stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ))
    assert process.stdout.readline() == "running\n"
    until = time.monotonic() + 60
    while not any(r["role"] == "cdn" for r in hub.requests()):
        assert time.monotonic() < until
        time.sleep(0.02)
    blobs = tmp_path / "cache" / "models--owner--tiny" / "blobs"
    while kept and not any(part.stat().st_size for part in blobs.glob("*.incomplete")):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "stopped\n")
    assert time.monotonic() - started < 10
    assert [part.stat().st_size for part in blobs.glob("*.incomplete")] == ([1] if kept else [])
    assert (tmp_path / "cache").exists() == kept
