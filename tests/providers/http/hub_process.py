"""The hub that hub_server.py plays, as a process for the life of one object."""

import json
import pathlib
import shutil
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODEL = ROOT / "tests" / "golden" / "models" / "clip"


class Hub:
    def __init__(self, folder, *certificate):
        self.repositories = folder / "repositories"
        self.repositories.mkdir(exist_ok=True)
        self.process = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("hub_server.py")),
                                         str(self.repositories), *map(str, certificate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["hub"]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"

    def add(self, name, **behaviour):
        shutil.copytree(MODEL, self.repositories / name, ignore=shutil.ignore_patterns("golden.json"))
        (self.repositories / name / ".behaviour.json").write_text(json.dumps(behaviour))

    def requests(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.loads(opener.open(self.url + "/__log").read())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
