"""keeper.py: a real domain keeper with a real HAProxy, for tests that are written in Python: start it, ask it, read what it recorded."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.parse

from server import BUILD

RECORD = struct.Struct("<qIHHIIQ")  # engine/exec/telemetry.h
HEADER_BYTES, GAP = 64, 8


class Keeper:
    def __init__(self, folder, ports):
        self.folder, self.ports, self.pid, self.keys = pathlib.Path(folder), ports, None, 0

    def __enter__(self):
        self.folder.mkdir(mode=0o700)
        subprocess.run([str(BUILD / "crescendo-shim"), "--keep", str(self.folder)], stdin=subprocess.DEVNULL, check=True, timeout=20)
        self.pid = int(self.until(lambda: self.ask("hello", version=1))[-1]["pid"])
        self.ask("domain", name="bench", address="127.0.0.1", ports=f"{self.ports}-{self.ports + 3}")
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        while pathlib.Path(f"/proc/{self.pid}/status").exists() and "State:\tZ" not in pathlib.Path(f"/proc/{self.pid}/status").read_text():
            time.sleep(0.02)

    def until(self, question, seconds=20):
        end = time.monotonic() + seconds
        while True:
            try:
                answer = question()
                if answer:
                    return answer
            except OSError:
                pass
            if time.monotonic() > end:
                raise RuntimeError(f"the keeper in {self.folder} does not get there: {self.status()}")
            time.sleep(0.02)

    def ask(self, verb, **fields):
        """The lines before the last one, and the fields of the last."""
        words = [verb]
        for name, value in fields.items():
            words += [f"{name}={urllib.parse.quote(str(one), safe='')}" for one in (value if isinstance(value, list) else [value])]
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(20)
            folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
            try:
                peer.connect(f"/proc/self/fd/{folder}/keeper.sock")
            finally:
                os.close(folder)
            peer.sendall((" ".join(words) + "\n").encode())
            lines = []
            for line in peer.makefile(encoding="utf-8"):
                lines.append(line.split())
                if lines[-1][0] in ("ok", "error"):
                    break
        parts = [{"line": line[0], **{name: urllib.parse.unquote(value) for name, _, value in (word.partition("=") for word in line[1:])}} for line in lines]
        if not parts or parts[-1]["line"] != "ok":
            raise RuntimeError(f"{' '.join(words)}: {parts[-1] if parts else 'no answer'}")
        return parts

    def change(self, verb, **fields):
        self.keys += 1
        return self.ask(verb, key=f"bench-{self.keys}", **fields)[-1]

    def status(self):
        return self.ask("status")

    def start(self, service, package, command, **fields):
        """Returns its address when one instance is healthy."""
        answer = self.change("start", service=service, family="bench", version=service, folder=package, command=command, port="http=8080", **fields)
        self.until(lambda: any(line["line"] == "service" and line["service"] == service and line["ready"] == line["replicas"] for line in self.status()))
        return answer["address"]

    def records(self):
        """(time_us, duration_us, status, flags, arm, instance, bytes) of each whole record, oldest first."""
        for path in sorted(self.folder.glob("telemetry/*.seg")):
            data = path.read_bytes()[HEADER_BYTES:]
            yield from RECORD.iter_unpack(data[:len(data) // RECORD.size * RECORD.size])

    def arms(self):
        return {service: int(number) for number, service, _, _ in map(str.split, (self.folder / "telemetry/arms").read_text().splitlines())}


def missing():
    """Why there can be no keeper here; None: there can."""
    if not (shutil.which("haproxy") or os.path.exists("/usr/sbin/haproxy")):
        return "there is no haproxy (apt-get install haproxy)"
    for program in ("crescendo-shim", "load", "answer"):
        if not (BUILD / program).exists():
            return f"{BUILD / program} is not built"
    if not any((BUILD.parent / "engine/exec/shim/keep").glob("*.c")):
        return "this shim has no --keep"
    return None
