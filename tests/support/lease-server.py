"""lease-server.py PORT-FILE FOLDER: a domain that lends for flows: PUT /lease/v1/leases/SERVICE answers 200, or the number in FOLDER/answer,
after the seconds in FOLDER/pause, and adds "SERVICE TTL ANSWER" to FOLDER/renewals. Its port is written to PORT-FILE; it ends with the shell that started it."""
import http.server
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse

PORT_FILE, FOLDER, PARENT = sys.argv[1], pathlib.Path(sys.argv[2]), os.getppid()


class Domain(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted, pause = FOLDER / "answer", FOLDER / "pause"
        time.sleep(float(pause.read_text()) if pause.exists() else 0)
        answer = int(wanted.read_text()) if wanted.exists() else 200
        service = urllib.parse.unquote(self.path.removeprefix("/lease/v1/leases/"))
        with open(FOLDER / "renewals", "a") as file:
            file.write(f"{service} {body['ttl_ms']} {answer}\n")
        self.send_response(answer)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def watch_parent():
    while os.getppid() == PARENT:
        time.sleep(0.2)
    os._exit(0)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Domain)
threading.Thread(target=watch_parent, daemon=True).start()
pathlib.Path(PORT_FILE + ".new").write_text(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
