"""A model hub on two ports of the loopback interface: the hub itself, and the "CDN" that it redirects large files to.

Serves ROOT/<owner>/<name>/ as repositories, and prints {"hub": port, "cdn": port} as its first line. A repository's
.behaviour.json changes its manners; every key is explained where it is read. GET /__log returns all requests so far.
Ends when its standard input is closed. Standard library only. With a certificate and its key as further arguments it
speaks TLS on both ports.
"""

import hashlib
import json
import pathlib
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = pathlib.Path(sys.argv[1])
LARGE = (".safetensors", ".model", "tokenizer.json")  # as the hub's .gitattributes has them in LFS
LOCK = threading.Lock()
LOG = []
COUNTS = {}  # (repository, behaviour) -> how often it showed
PORTS = {}
SCHEME = "https" if len(sys.argv) > 2 else "http"


def count(key):
    with LOCK:
        COUNTS[key] = COUNTS.get(key, 0) + 1
        return COUNTS[key]


class Repository:
    def __init__(self, name):
        self.name = name
        self.path = ROOT / name
        marker = self.path / ".behaviour.json"
        self.behaviour = json.loads(marker.read_text()) if marker.exists() else {}
        self.commit = self.behaviour.get("commit", hashlib.sha1(name.encode()).hexdigest())

    def files(self):
        return sorted(p.name for p in self.path.iterdir() if p.is_file() and not p.name.startswith("."))


def etag_of(name, content):
    if name.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    role = "hub"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer_logged()

    def do_GET(self):
        self.answer_logged()

    def answer_logged(self):
        if self.path == "/__log":
            with LOCK:
                body = json.dumps(LOG).encode()
            return self.reply(200, body)
        with LOCK:
            LOG.append({"role": self.role, "method": self.command, "path": self.path,
                        "authorization": self.headers.get("Authorization"), "range": self.headers.get("Range"),
                        "agent": self.headers.get("User-Agent")})
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), str(value))
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code=None):
        self.reply(status, b"no", **({"X_Error_Code": code} if code else {}))

    def answer(self):
        parts = [urllib.parse.unquote(p) for p in urllib.parse.urlsplit(self.path).path.strip("/").split("/")]
        if self.role == "cdn":
            return self.content(Repository("/".join(parts[:2])), parts[2], large=True)
        if parts[:2] == ["api", "models"] and len(parts) == 6 and parts[4] == "revision":
            return self.revision("/".join(parts[2:4]), parts[5])
        if len(parts) == 5 and parts[2] == "resolve":
            return self.resolve("/".join(parts[:2]), parts[3], parts[4])
        return self.refuse(404)

    def revision(self, name, revision):
        if not (ROOT / name).is_dir():
            # The real hub does not tell a missing model from a private one.
            return self.refuse(404 if self.headers.get("Authorization") else 401, "RepoNotFound")
        repository = Repository(name)
        behaviour = repository.behaviour
        # "api": statuses of the first answers, one after the other.
        statuses = behaviour.get("api", [])
        visit = count((name, "api"))
        if visit <= len(statuses):
            headers = {"Retry_After": behaviour["retry_after"]} if "retry_after" in behaviour else {}
            return self.reply(statuses[visit - 1], b"not now", **headers)
        if "api_loop" in behaviour:  # redirects to itself
            return self.reply(307, Location=self.path)
        if "api_elsewhere" in behaviour:  # redirects to the other port, which asks for nothing
            return self.reply(307, Location=f"{SCHEME}://127.0.0.1:{PORTS['cdn']}/{name}/api.json")
        if "api_location" in behaviour:
            return self.reply(307, Location=behaviour["api_location"])
        if "api_headers" in behaviour:  # that many kilobytes of headers
            return self.reply(200, b"{}", **{f"X_Filler_{i}": "x" * 1000 for i in range(behaviour["api_headers"])})
        if "api_body" in behaviour:  # this text instead of an answer
            return self.reply(200, behaviour["api_body"].encode())
        if "api_silence" in behaviour:  # seconds before anything is said
            time.sleep(behaviour["api_silence"])
        if "needs_token" in behaviour and self.headers.get("Authorization") != f"Bearer {behaviour['needs_token']}":
            return self.refuse(401, "RepoNotFound" if not self.headers.get("Authorization") else None)
        if revision not in ("main", "refs/pr/1", repository.commit):
            return self.refuse(404, "RevisionNotFound")
        answer = {"id": name, "sha": repository.commit, "private": False,
                  "siblings": [{"rfilename": f} for f in repository.files() + behaviour.get("extra_files", [])]}
        self.reply(200, json.dumps(answer).encode(), Content_Type="application/json")

    def resolve(self, name, commit, file):
        repository = Repository(name)
        behaviour = repository.behaviour
        if behaviour.get("gated"):
            return self.refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
        if commit not in ("main", repository.commit) or file not in repository.files():
            return self.refuse(404, "EntryNotFound")
        if "resolve_renamed" in behaviour:  # a relative redirect on the hub itself, as for moved models
            return self.reply(307, Location=f"/{behaviour['resolve_renamed']}/resolve/{commit}/{file}")
        content = (repository.path / file).read_bytes()
        etag = behaviour.get("etag", etag_of(file, content))
        common = {"X_Repo_Commit": behaviour.get("said_commit", repository.commit)}
        if not file.endswith(LARGE):
            # A small file comes from the hub itself, and its etag is git's name of the blob.
            if self.command == "HEAD":
                return self.reply(200, ETag=f'"{etag}"', Content_Length=len(content), **common)
            return self.content(repository, file, large=False)
        scheme = "http" if behaviour.get("plain_location") else SCHEME
        location = f"{scheme}://127.0.0.1:{PORTS['cdn']}/{name}/{file}?X-Amz-Signature=verysecret"
        self.reply(302, b"Found", Location=location, X_Linked_Etag=f'"{etag}"',
                   X_Linked_Size=behaviour.get("said_size", len(content)), ETag='"of the redirect"', **common)

    def content(self, repository, file, large):
        behaviour = repository.behaviour
        content = (repository.path / file).read_bytes()
        visit = count((repository.name, file))
        # "corrupt": names of files that come with a wrong byte, whose size is right.
        if file in behaviour.get("corrupt", []):
            content = bytes([content[0] ^ 1]) + content[1:]
        # "content_status": statuses of the first answers with a large file's bytes.
        statuses = behaviour.get("content_status", []) if large else []
        if visit <= len(statuses):
            return self.refuse(statuses[visit - 1])
        first, last, partial = 0, len(content) - 1, False
        if (span := self.headers.get("Range")) and "no_ranges" not in behaviour:
            begin, end = span.removeprefix("bytes=").split("-")
            first, last = int(begin), int(end or len(content) - 1)
            if "range_refused" in behaviour:
                return self.refuse(416)
            partial = True
        body = content[first:last + 1]
        self.send_response(206 if partial else 200)
        self.send_header("Content-Length", str(len(body) + (behaviour.get("longer", 0) if large else 0)))
        if partial:
            begin = first + behaviour.get("range_shift", 0)
            self.send_header("Content-Range", f"bytes {begin}-{last}/{len(content)}")
        self.end_headers()
        if large and "drip" in behaviour:  # a byte, then silence for that many seconds
            self.wfile.write(body[:1])
            self.wfile.flush()
            time.sleep(behaviour["drip"])
            self.close_connection = True
            return
        # "truncate": the connection ends after so many bytes, in the first "truncate_times" answers.
        if large and visit <= behaviour.get("truncate_times", 0):
            self.wfile.write(body[:behaviour["truncate"]])
            self.close_connection = True
            return
        if large and "slow" in behaviour:  # seconds the whole file takes
            for i in range(10):
                self.wfile.write(body[len(body) * i // 10:len(body) * (i + 1) // 10])
                self.wfile.flush()
                time.sleep(behaviour["slow"] / 10)
            return
        self.wfile.write(body + b"x" * (behaviour.get("longer", 0) if large else 0))


class CdnHandler(Handler):
    role = "cdn"


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients of these tests break connections on purpose; anything else is worth a trace."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    servers = {"hub": Server(("127.0.0.1", 0), Handler), "cdn": Server(("127.0.0.1", 0), CdnHandler)}
    for role, server in servers.items():
        server.daemon_threads = True
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            # The handshake belongs to the connection's own thread: a client may refuse it.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        PORTS[role] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(PORTS), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
