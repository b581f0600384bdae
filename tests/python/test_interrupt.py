"""Ctrl-C during a run."""

import os
import signal
import subprocess
import sys

from pictures import save_picture

PROGRAM = """
import sys
import vecframe as vf
from vecframe.functions import embed_image

df = vf.read_images(sys.argv[1]).with_column("embedding", embed_image(vf.col("image"), model=sys.argv[3]))
told = False
def progress(now):
    global told
    if now.rows > 0 and not told:
        told = True
        print("running", flush=True)
try:
    df.write_parquet(sys.argv[2], progress=progress)
except KeyboardInterrupt:
    print("stopped", flush=True)
    sys.exit(0)
print("finished", flush=True)
"""


def test_ctrl_c_is_a_keyboard_interrupt_and_leaves_nothing(tmp_path, model):
    folder = tmp_path / "many"
    save_picture(folder / "0.png", size=(2000, 1500))
    for i in range(1, 1000):
        os.link(folder / "0.png", folder / f"{i}.png")
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), str(tmp_path / "out.parquet"), model],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "stopped\n")
    assert [path.name for path in tmp_path.iterdir()] == ["many"]
