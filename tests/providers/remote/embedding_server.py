"""A server of embeddings on the loopback interface that keeps the manners of OpenAI's API, or breaks them on demand.

POST /NAME/v1/embeddings is answered as the behaviour of NAME says, which POST /NAME/behaviour sets: a JSON object whose keys are
explained where they are read. GET /NAME returns the log of its requests. Prints {"port": N} as its first line, and ends
when its standard input is closed. Standard library only.

The vector of a picture is red, green and blue of its first pixel, width, height, and then zeros but for a last 1. That
of a text is its length, the codes of its first four characters, and the same end. Red 255, and texts that begin with
"bad", are refused.
"""

import base64
import gzip
import json
import re
import socket
import struct
import sys
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
BEHAVIOURS = {}
LOGS = {}
FIRST_TIMES = {}
RATE_WINDOWS = {}
MOST_BODY = 64 << 20


class Refused(Exception):
    """An answer other than vectors."""

    def __init__(self, status, message="", headers=None, body=None, **error):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = json.dumps({"error": {"message": message, **error}}).encode() if body is None else body.encode()


def first_pixel(url):
    """(red, green, blue, width, height) of a PNG as data URL; for a JPEG or WebP only that it is one."""
    kind, _, data = url.partition(";base64,")
    content = base64.b64decode(data, validate=True)
    if kind == "data:image/jpeg" and content[:2] == b"\xff\xd8":
        return [1, 2, 3, 0, 0]
    if kind == "data:image/webp" and content[8:12] == b"WEBP":
        return [4, 5, 6, 0, 0]
    if kind != "data:image/png" or content[:8] != b"\x89PNG\r\n\x1a\n":
        raise Refused(400, "not a picture")
    width, height, depth, colours = struct.unpack(">IIBB", content[16:26])
    if (depth, colours) != (8, 2):
        raise Refused(400, "not RGB of 8 bits")
    packed, at = b"", 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at:at + 4])
        if content[at + 4:at + 8] == b"IDAT":
            packed += content[at + 8:at + 8 + length]
        at += 12 + length
    # In the first pixel every filter leaves the samples as they are.
    return [*zlib.decompress(packed)[1:4], width, height]


def vector_of(item, behaviour):
    if isinstance(item, list):  # a conversation
        part = item[0]["content"][0]
        item = part["image_url"]["url"] if part["type"] == "image_url" else part["text"]
    if item.startswith("data:"):
        start = first_pixel(item)
        if start[0] == 255:
            raise Refused(400, "cannot read the picture", code="invalid_image")
    else:
        if item.startswith("bad"):
            raise Refused(400, "cannot read the text", code="invalid_text")
        if item.startswith("poison"):
            raise Refused(500, "internal error")
        start = [len(item), *[ord(c) for c in item[:4].ljust(4)]]
    dimension = behaviour.get("dimension", 8)
    if item.startswith("short"):
        dimension -= 1
    vector = ([float(v) for v in start] + [0.0] * dimension)[:dimension]
    vector[-1] = 1.0
    if item.startswith("nan"):
        vector[0] = float("nan")
    return vector


def packed(vector, behaviour):
    # "base64": "odd" cuts a byte, "f64" sends doubles, "plain" no base64 at all.
    form = behaviour.get("base64")
    if form == "plain":
        return "this is no base64!"
    code = base64.b64encode(struct.pack(f"<{len(vector)}{'d' if form == 'f64' else 'f'}", *vector))
    if form == "odd":
        code = base64.b64encode(base64.b64decode(code)[:-1])
    return code.decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", headers=None):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, str(value))
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def name(self):
        return self.path.strip("/").split("/")[0]

    def set_behaviour(self):
        behaviour = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with LOCK:
            BEHAVIOURS[self.name()] = behaviour
            LOGS[self.name()] = []
            FIRST_TIMES.pop(self.name(), None)
        self.reply(200)

    def do_GET(self):
        with LOCK:
            body = json.dumps(LOGS.get(self.name(), [])).encode()
        self.reply(200, body)

    def do_POST(self):
        if self.path.endswith("/behaviour"):
            return self.set_behaviour()
        try:
            self.answer_post()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer_post(self):
        name = self.name()
        length = int(self.headers["Content-Length"])
        with LOCK:
            behaviour = BEHAVIOURS.get(name, {})
            entry = {"time": time.monotonic(), "bytes": length, "path": self.path, "status": None,
                     "authorization": self.headers.get("Authorization"), "expect": self.headers.get("Expect"),
                     "type": self.headers.get("Content-Type"), "port": self.client_address[1]}
            LOGS.setdefault(name, []).append(entry)
            visit = len(LOGS[name])
            FIRST_TIMES.setdefault(name, time.monotonic())
        # "max_bytes": what is longer is refused unread, "unread" also without listening to the end.
        if length > behaviour.get("max_bytes", MOST_BODY):
            if not behaviour.get("unread"):
                self.rfile.read(length)
            entry["status"] = 413
            self.close_connection = True
            return self.reply(413, b"<html>too large</html>", {"Connection": "close"})
        body = self.rfile.read(length)
        entry["in_flight"] = sum(1 for e in LOGS[name] if e["status"] is None)
        try:
            request = json.loads(body)
            items = request.get("input", request.get("messages"))
            entry["items"] = len(items)
            entry["request"] = {key: value for key, value in request.items() if key not in ("input", "messages")}
            self.break_manners(behaviour, visit, name)
            status, answer, headers = 200, *self.answer_of(request, items, behaviour)
        except Refused as refused:
            status, answer, headers = refused.status, refused.body, refused.headers
        time.sleep(behaviour.get("delay", 0))
        entry["status"] = status
        self.send_in_manner(status, answer, headers, behaviour)

    def break_manners(self, behaviour, visit, name):
        # "first": answers to the first requests, each [status, headers, body]; null is none.
        first = behaviour.get("first", [])
        if visit <= len(first) and first[visit - 1] is not None:
            status, headers, body = first[visit - 1]
            raise Refused(status, headers=headers, body=body)
        # "always": the answer to all.
        if "always" in behaviour:
            status, headers, body = behaviour["always"]
            raise Refused(status, headers=headers, body=body)
        # "outage": for so many seconds only pages of a proxy.
        if time.monotonic() - FIRST_TIMES[name] < behaviour.get("outage", 0):
            raise Refused(502, headers={"Content-Type": "text/html"}, body="<html><h1>Bad gateway</h1></html>")
        # "reset": so many connections end without a word.
        if visit <= behaviour.get("reset", 0):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            raise ConnectionResetError
        # "rate": requests a second; of more, the rest of the second is told.
        if "rate" in behaviour:
            with LOCK:
                second, count = RATE_WINDOWS.get(name, (0, 0))
                now = time.monotonic()
                if now - second >= 1:
                    second, count = now, 0
                RATE_WINDOWS[name] = (second, count + 1)
                if count >= behaviour["rate"]:
                    raise Refused(429, "slow down", {"retry-after-ms": str(int((second + 1 - now) * 1000) + 1)})

    def answer_of(self, request, items, behaviour):
        if len(items) > behaviour.get("max_items", 2048):
            raise Refused(422, body=json.dumps({"detail": [{"loc": ["body", "input"], "msg": "too many items"}]}))
        if request.get("encoding_format") == "base64" and behaviour.get("refuse_base64"):
            raise Refused(400, "encoding_format is not supported", param="encoding_format")
        vectors = [vector_of(item, behaviour) for item in items]
        as_base64 = request.get("encoding_format") == "base64" and behaviour.get("base64", True)
        data = [{"object": "embedding", "index": i, "embedding": packed(v, behaviour) if as_base64 else v}
                for i, v in enumerate(vectors)]
        # "data": changes the list of answers, with Python.
        if "data" in behaviour:
            data = eval(behaviour["data"], {"data": data, "n": len(data)})
        answer = json.dumps({"object": "list", "data": data, "model": request["model"],
                             "usage": {"prompt_tokens": len(items), "total_tokens": len(items)}})
        # "text": changes the answer, with Python.
        if "text" in behaviour:
            answer = eval(behaviour["text"], {"text": answer, "re": re})
        content = answer.encode("utf-8", "surrogateescape")
        headers = {"Content-Type": "application/json"}
        # "gzip": so many megabytes of zeros, packed.
        if "gzip" in behaviour:
            content = gzip.compress(b"0" * (behaviour["gzip"] << 20))
            headers["Content-Encoding"] = "gzip"
        return content, headers

    def send_in_manner(self, status, answer, headers, behaviour):
        # "long_by": the answer ends so many bytes before what it said.
        if "long_by" in behaviour:
            headers = {**headers, "Content-Length": str(len(answer) + behaviour["long_by"])}
            self.close_connection = True
        # "endless": so many megabytes of blanks follow.
        if "endless" in behaviour:
            self.close_connection = True
            self.reply(status, answer, {**headers, "Content-Length": str(len(answer) + (behaviour["endless"] << 20))})
            for _ in range(behaviour["endless"]):
                self.wfile.write(b" " * (1 << 20))
            return None
        # "drip": a byte, a pause of so many seconds, a byte.
        if "drip" in behaviour:
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            for at in range(len(answer)):
                self.wfile.write(answer[at:at + 1])
                self.wfile.flush()
                time.sleep(behaviour["drip"])
            return None
        return self.reply(status, answer, headers)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


def start():
    """The server, running in a thread of this process."""
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    print(json.dumps({"port": start().server_address[1]}), flush=True)
    sys.stdin.read()
