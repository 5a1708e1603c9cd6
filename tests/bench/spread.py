#!/usr/bin/env python3
"""spread.py PORT: a service whose answers take a time with a log-normal spread, as real ones do; the words are those of build/answer."""
import argparse
import asyncio
import random


class Answers(asyncio.Protocol):
    def __init__(self, options):
        self.options, self.peer, self.input = options, None, b""

    def connection_made(self, transport):
        self.peer = transport

    def data_received(self, data):
        self.input += data
        while b"\r\n\r\n" in self.input:
            head, _, self.input = self.input.partition(b"\r\n\r\n")
            health = head.startswith(b"GET /healthz")
            after_s = 0 if health else random.lognormvariate(0, self.options.sigma) * self.options.delay_ms / 1000
            asyncio.get_running_loop().call_later(after_s, self.answer)

    def answer(self):
        body = self.options.body.encode() + b"\n"
        self.peer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def serve(options):
    server = await asyncio.get_running_loop().create_server(lambda: Answers(options), "127.0.0.1", options.port)
    await server.serve_forever()


parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--healthz", action="store_true")
parser.add_argument("--body", default="hello")
parser.add_argument("--delay-ms", type=float, default=0)
parser.add_argument("--sigma", type=float, default=0.6)
asyncio.run(serve(parser.parse_args()))
