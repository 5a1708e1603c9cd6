"""server.py: a real server for tests that are written in Python: start, kill, and talk to its socket."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    def __init__(self, folder, *options):
        self.folder = str(folder)
        self.options = options
        self.environment, self.build = None, BUILD  # another environment than ours
        self.process = None

    def start(self):
        read, write = os.pipe()
        with open(self.folder + ".log", "ab") as log:
            self.process = subprocess.Popen([str(self.build / "crescendo-server"), "serve", "--data", self.folder, "--ready-fd", str(write), *self.options],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write], start_new_session=True,
                                            env=self.environment)
        os.close(write)
        ready = os.read(read, 1)
        os.close(read)
        if not ready:
            raise RuntimeError("the server did not start: " + open(self.folder + ".log", errors="replace").read()[-2000:])
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def ask(self, method, path, body=None, timeout=30):
        connection = UnixConnection(self.folder + "/crescendo.sock", timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"} if body is not None else {})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {data.decode(errors='replace')[:500]}")
            return json.loads(data) if answer.headers.get("Content-Type", "").startswith("application/json") else data
        finally:
            connection.close()

    def submit(self, pipeline):
        return self.ask("POST", "/v1/runs", {"pipeline": pipeline, "file": "crescendo.yaml"})["run"]

    def wait(self, run, seconds=60, pause=0.01):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            row = self.ask("GET", f"/v1/runs?before={run + 1}&limit=1")["runs"][0]  # cheap: no steps
            if row["state"] in ("succeeded", "failed", "cancelled", "rolled_back", "rollback_failed"):
                return self.ask("GET", f"/v1/runs/{run}")
            time.sleep(pause)
        raise RuntimeError(f"run {run} did not end: {json.dumps(row)[:1500]}")


def shims_of(folder, spares=False):
    """Process ids of the supervisors that serve runs of this data folder; with spares, also of those that no run has yet."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words and words[0].endswith(b"crescendo-shim") and (spares or b"--spare" not in words) and any(word.startswith(os.fsencode(str(folder))) for word in words):
                found.append(int(entry.name))
    return found


def kill_shims(folder):
    for pid in shims_of(folder, spares=True):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
