#!/usr/bin/env python3
"""proxy.py: a faulty network between two that speak HTTP: proxy.py LISTEN TARGET [--control FILE] [--counts FILE] [--plan JSON].

LISTEN and TARGET are `unix:/path`, `HOST:PORT`, or for LISTEN `0`: a free port of 127.0.0.1. Prints `listening on LISTEN`. What it does
to a request says the plan, a list of rules; the first whose `method` (a regular expression for all of it), `path` (one that is searched
for) and `times` (how often it may still be used; absent: always; `after`: how many matches pass first) fit is used:

  {"fault": "drop"}             forwards, and closes when the answer has come: the work is done, the reply is lost
  {"fault": "delay", "ms": N}   forwards, and hands the answer back N ms late
  {"fault": "500"}              forwards, and answers 500 instead: the work is done
  {"fault": "refuse"}           closes without forwarding
  {"fault": "unavailable"}      answers 503 without forwarding
  {"fault": "error"}            answers 500 without forwarding
  {"fault": "torn"}             forwards, and closes in the middle of the answer's body
  {"fault": "twice"}            forwards the request twice, one behind the other, and hands back the second answer

The plan is --plan, or the file --control, which is read anew when it changes. --counts FILE is rewritten after each request: {"requests":
{"POST /path": N}, "faults": {"drop": N}}; paths without their query. In Python: `with Proxy(target, plan) as proxy: proxy.address, proxy.counts`.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import socketserver
import threading
import time

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"}
LARGEST_HEAD = 64 * 1024
REFUSALS = {"unavailable": (503, "Service Unavailable"), "error": (500, "Internal Server Error")}


def connect(address, timeout=60):
    if address.startswith("unix:"):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(timeout)
        peer.connect(address.removeprefix("unix:"))
        return peer
    host, _, port = address.removeprefix("http://").rpartition(":")
    return socket.create_connection((host or "127.0.0.1", int(port)), timeout)


class Target(http.client.HTTPConnection):
    def __init__(self, address):
        super().__init__("localhost")
        self.address = address

    def connect(self):
        self.sock = connect(self.address)


class Handler(socketserver.StreamRequestHandler):
    """One connection. Each request is read whole, forwarded on a connection of its own, and answered."""

    def handle(self):
        try:
            while self.one_request():
                pass
        except (OSError, ValueError, http.client.HTTPException):
            pass

    def read_request(self):
        line = self.rfile.readline(LARGEST_HEAD).decode("latin-1").split()
        if len(line) != 3:
            return None
        headers = http.client.parse_headers(self.rfile)
        if headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(self.chunks())
        else:
            body = self.rfile.read(int(headers.get("Content-Length", 0)))
        return line[0], line[1], headers, body

    def chunks(self):
        while size := int(self.rfile.readline(LARGEST_HEAD).split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline(LARGEST_HEAD)
        while self.rfile.readline(LARGEST_HEAD).strip():
            pass

    def forward(self, method, path, headers, body):
        peer = Target(self.server.proxy.target)
        try:
            peer.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP | {"expect"}:
                    peer.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                peer.putheader("Content-Length", str(len(body)))
            peer.putheader("Connection", "close")
            peer.endheaders(body or None)
            answer = peer.getresponse()
            return answer.status, answer.reason, answer.getheaders(), answer.read()
        finally:
            peer.close()

    def answer(self, method, status, reason, headers, body, tear=False):
        lines = [f"HTTP/1.1 {status} {reason}"] + [f"{name}: {value}" for name, value in headers if name.lower() not in HOP_BY_HOP]
        if status not in (204, 304):
            lines.append(f"Content-Length: {len(body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        sent = b"" if method == "HEAD" else body
        self.wfile.write(head + (sent[: len(sent) // 2] if tear else sent))
        self.wfile.flush()

    def one_request(self):
        """False: the connection is at its end."""
        request = self.read_request()
        if not request:
            return False
        method = request[0]
        rule = self.server.proxy.choose(method, request[1])
        fault = rule.get("fault")
        if fault == "refuse":
            return False
        if fault in REFUSALS:
            self.answer(method, *REFUSALS[fault], [], b"a fault on purpose")
            return True
        if fault == "twice":
            self.forward(*request)
        try:
            status, reason, headers, body = self.forward(*request)
        except OSError:
            return False  # nobody there: as without a proxy, the connection ends
        if fault == "drop":
            return False
        if fault == "delay":
            time.sleep(rule.get("ms", 1000) / 1000)
        if fault == "500":
            status, reason, headers, body = 500, "Internal Server Error", [], b"a fault on purpose"
        self.answer(method, status, reason, headers, body, tear=fault == "torn")
        return fault != "torn" and request[2].get("Connection", "").lower() != "close"


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 512


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 512


class Proxy:
    def __init__(self, target, plan=(), listen="0", control=None, counts=None):
        self.target, self.control, self.counts_file = target, control, counts
        self.rules = self.read_rules(list(plan))
        self.changed = None
        self.lock = threading.Lock()
        self.requests, self.faults = collections.Counter(), collections.Counter()
        if listen.startswith("unix:"):
            path = listen.removeprefix("unix:")
            pathlib.Path(path).unlink(missing_ok=True)
            self.server, self.address = UnixServer(path, Handler), listen
        else:
            host, _, port = listen.rpartition(":")
            self.server = TcpServer((host or "127.0.0.1", int(port)), Handler)
            self.address = "%s:%d" % self.server.server_address
        self.server.proxy = self

    @staticmethod
    def read_rules(plan):
        known = {"drop", "delay", "500", "refuse", "torn", "twice", *REFUSALS}
        for rule in plan:
            if rule.get("fault") not in known:
                raise SystemExit(f"proxy: the fault of {json.dumps(rule)} is none of {', '.join(sorted(known))}")
        return [dict(rule) for rule in plan]

    def look_at_control(self):
        try:
            changed = os.stat(self.control).st_mtime_ns
            if changed != self.changed:
                self.rules, self.changed = self.read_rules(json.loads(pathlib.Path(self.control).read_text() or "[]")), changed
        except (OSError, ValueError):
            pass  # it is being written, or not there yet: the last plan holds

    def choose(self, method, path):
        """The rule for this request, {} for none; counts both."""
        with self.lock:
            if self.control:
                self.look_at_control()
            self.requests[f"{method} {path.partition('?')[0]}"] += 1
            chosen = next((rule for rule in self.rules if self.fits(rule, method, path)), {})
            if chosen:
                self.faults[chosen["fault"]] += 1
                if "times" in chosen:
                    chosen["times"] -= 1
            if self.counts_file:
                self.write_counts()
            return chosen

    @staticmethod
    def fits(rule, method, path):
        if not re.fullmatch(rule.get("method", ".*"), method) or not re.search(rule.get("path", ""), path):
            return False
        if rule.get("after", 0) > 0:
            rule["after"] -= 1
            return False
        return rule.get("times", 1) > 0

    @property
    def counts(self):
        with self.lock:
            return {"requests": dict(self.requests), "faults": dict(self.faults)}

    def write_counts(self):
        fresh = self.counts_file + ".new"
        pathlib.Path(fresh).write_text(json.dumps({"requests": self.requests, "faults": self.faults}))
        os.replace(fresh, self.counts_file)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listen")
    parser.add_argument("target")
    parser.add_argument("--plan", default="[]")
    parser.add_argument("--control")
    parser.add_argument("--counts")
    options = parser.parse_args()
    proxy = Proxy(options.target, json.loads(options.plan), options.listen, options.control, options.counts)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(f"listening on {proxy.address}", flush=True)
    try:
        proxy.server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
