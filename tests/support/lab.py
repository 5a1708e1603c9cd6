"""lab.py: a domain with all that belongs to it, for tests that break it: the engine's server, the core (inside of it, or a program by itself), the keeper,
HAProxy, services from build/answer, and a load generator; and what must be true of them afterwards."""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time

from server import BUILD, Server

PORTS = 8


def free_ports():
    """The first of some neighbouring ports that nobody listens on now."""
    for _ in range(200):
        first = random.randrange(20000, 32000 - PORTS)
        held = []
        try:
            for port in range(first, first + PORTS):
                held.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for each in held:
                each.close()
    raise RuntimeError("no free ports")


def words_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def processes():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def parent_of(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(") ", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Core:
    """`crescendo-server core` as a program by itself."""

    def __init__(self, folder):
        self.folder, self.process, self.port = folder, None, 0

    def start(self):
        read, write = os.pipe()
        self.port = self.port or free_ports()
        with open(f"{self.folder}.log", "ab") as log:
            self.process = subprocess.Popen([str(BUILD / "crescendo-server"), "core", "--data", str(self.folder), "--listen", f"127.0.0.1:{self.port}",
                                             "--ready-fd", str(write)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write],
                                            start_new_session=True)
        os.close(write)
        ready = os.read(read, 1)
        os.close(read)
        if not ready:
            raise RuntimeError("the core did not start: " + open(f"{self.folder}.log", errors="replace").read()[-2000:])

    def end(self, number):
        if self.process:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


class Load:
    def __init__(self, url, rate):
        self.process = subprocess.Popen([str(BUILD / "load"), "--url", url, "--rate", str(rate), "--seconds", "0", "--count-by", "body", "--json"],
                                        stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=20)[0])


class Lab:
    def __init__(self, separate_core=False, lease="30s"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crescendo-lab-"))
        self.server = Server(self.folder / "data")
        self.core = Core(self.folder / "core") if separate_core else None
        self.core_data = self.folder / ("core" if separate_core else "data/core")
        self.first_port = free_ports()
        self.lease = lease
        self.offerings = {}
        self.loads = []

    # --- up and down ---

    def start(self):
        site = f"site:\n  driver: process\n  address: 127.0.0.1\n  ports: {self.first_port}-{self.first_port + PORTS - 1}\n"
        policy = f"policy:\n  lease: {self.lease}\n"
        if self.core:
            (self.core_data / "domains").mkdir(parents=True)
            (self.core_data / "domains/lab.yaml").write_text("domain: lab\n" + site)
            self.core.start()
            site = f"url: http://127.0.0.1:{self.core.port}\n"
        (self.folder / "data/domains").mkdir(parents=True)
        (self.folder / "data/domains/lab.yaml").write_text("domain: lab\n" + site + policy)
        self.server.start()

    def start_again(self):
        if self.core and not self.core.process:
            self.core.start()
        if not self.server.process:
            self.server.start()

    def end(self, keep=False):
        for load in self.loads:
            load.process.kill()
            load.process.wait()
        self.server.stop()
        if self.core:
            self.core.end(signal.SIGTERM)
        for pid in self.keepers():
            kill(pid)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- what a person does ---

    def environment(self):
        core = {"CRESCENDO_CORE": f"http://127.0.0.1:{self.core.port}"} if self.core else {}
        return dict(os.environ, CRESCENDO_DATA=str(self.folder / "data"), **core)

    def say(self, *words):
        done = subprocess.run([str(BUILD / "crescendo"), *words], env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"crescendo {' '.join(words)}: {done.returncode}: {done.stdout[-800:]}")
        return done.stdout

    def publish(self, version, *options):
        folder = self.folder / f"package-{version}"
        (folder / "bin").mkdir(parents=True)
        shutil.copy(BUILD / "answer", folder / "bin/answer")
        words = ", ".join(json.dumps(word) for word in ("bin/answer", "$(PORT_HTTP)", "--healthz", "--body", version, *options))
        (folder / "service.yaml").write_text(
            f"service: answer\nversion: {version}\nkind: microservice\ncomponents:\n"
            f"  - compute: {{ name: answer, cpu: 100m, memory: 64MiB, ports: {{ http: 8080 }}, command: [{words}], health: {{ http: /healthz }} }}\n")
        with tarfile.open(folder / "answer.tar.gz", "w:gz") as archive:
            archive.add(folder / "bin/answer", "bin/answer")
            archive.add(folder / "service.yaml", "service.yaml")
        self.say("catalogue", "publish", str(folder / "answer.tar.gz"), "--service", str(folder / "service.yaml"))
        self.offerings[version] = next(each["id"] for each in self.ask("/tmf-api/productCatalogManagement/v4/productOffering")
                                       if each["version"] == version)

    def order(self, version):
        self.say("order", "add", f"answer@{version}", "--domain", "lab")
        return next(each["id"] for each in self.services() if self.version(each) == version)

    def release_pipeline(self, version, between="sleep 0.5"):
        return f"""
stages:
  - stage: release
    checkout: none
    steps:
      - id: order
        order: {{ domain: lab, offering: "{self.offerings[version]}" }}
        retry: {{ times: 9, on: [worker_lost] }}
      - id: shift
        shift: {{ domain: lab, service: "${{{{ steps.order.service }}}}", share: 25% }}
      - run: {between}
      - id: promote
        promote: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}
      - retire: {{ domain: lab, service: "${{{{ steps.promote.previous }}}}" }}
"""

    def release(self, version, between="sleep 0.5"):
        return self.server.submit(self.release_pipeline(version, between))

    def load(self, rate):
        self.loads.append(Load(self.address() + "/", rate))
        return self.loads[-1]

    # --- what is there ---

    def ask(self, path):
        return json.loads(self.raw(path))

    def raw(self, path):
        if self.core:
            import urllib.request
            with urllib.request.urlopen(f"http://127.0.0.1:{self.core.port}{path}", timeout=30) as answer:
                return answer.read()
        answer = self.server.ask("GET", path)
        return json.dumps(answer).encode() if not isinstance(answer, bytes) else answer

    def services(self):
        return self.ask("/tmf-api/serviceInventory/v4/service?limit=500")

    def orders(self):
        return self.ask("/tmf-api/serviceOrdering/v4/serviceOrder?limit=500")

    @staticmethod
    def characteristic(service, name):
        return next((each["value"] for each in service.get("serviceCharacteristic", []) if each["name"] == name), None)

    def version(self, service):
        return service["serviceSpecification"]["version"]

    def address(self):
        return next(self.characteristic(each, "address") for each in self.services() if each["state"] == "active").rstrip("/")

    # --- killing ---

    def keepers(self):
        return [pid for pid in processes() if (words := words_of(pid)) and words[0].endswith("crescendo-shim") and "--keep" in words and
                any(word.startswith(str(self.folder)) for word in words)]

    def descendants(self, name):
        keepers, found = set(self.keepers()), []
        for pid in processes():
            words = words_of(pid)
            if not words or pathlib.Path(words[0]).name != name:
                continue
            above = parent_of(pid)
            while above > 1 and above not in keepers:
                above = parent_of(above)
            if above in keepers:
                found.append(pid)
        return found

    def kill(self, kind):
        for what in kind:
            if what == "server" and self.server.process:
                self.server.kill()
            elif what == "core":
                self.core.end(signal.SIGKILL)
            else:
                pids = self.keepers() if what == "keeper" else self.descendants("haproxy" if what == "haproxy" else "answer")
                for pid in pids[:1] if what == "instance" else pids:
                    kill(pid)

    # --- what must be true ---

    def wait(self, run, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            row = self.server.ask("GET", f"/v1/runs/{run}")
            if row["state"] in ("succeeded", "failed", "cancelled", "rolled_back", "rollback_failed", "needs_person"):
                return row
            time.sleep(0.05)
        raise RuntimeError(f"run {run} did not end: {row['state']}")

    def check_release(self, run, first, counted, kind):
        """After a release of version 2.0.0 beside service `first`: what is wrong, a line each."""
        wrong = []
        row = self.wait(run)
        if row["state"] != "succeeded":
            failed = [f"{step['path']} {step['state']}: {step.get('message')}" for step in row["steps"] if step["state"] not in ("succeeded", "skipped")]
            wrong.append(f"run is {row['state']} {row.get('reason')} {row.get('message')} {failed}")
        orders, services = self.orders(), self.services()
        keys = [(party_of(order), order["externalId"]) for order in orders if order.get("externalId")]
        if len(set(keys)) != len(keys) or len(orders) != 5:
            wrong.append(f"{len(orders)} orders where 5 were meant: {[(order['id'], order['state'], order.get('externalId')) for order in orders]}")
        made = [service["id"] for service in services if self.version(service) == "2.0.0"]
        if len(made) != 1:
            wrong.append(f"version 2.0.0 was deployed {len(made)} times: {made}")
        end = time.monotonic() + 15  # what was killed last may still be on its way back
        while (left := self.left_to_do(first, made)) and time.monotonic() < end:
            time.sleep(0.1)
        wrong += left
        if "keeper" not in kind and counted["failed"] > 4 * len(kind):
            wrong.append(f"{counted['failed']} requests failed: {counted['failures']} {counted['status']}")
        return wrong

    def left_to_do(self, first, made):
        wrong = []
        states = {service["id"]: service["state"] for service in self.services()}
        if states.get(first) != "terminated" or any(states.get(each) != "active" for each in made):
            wrong.append(f"services are {states}")
        if len(self.descendants("answer")) != 1:
            wrong.append(f"{len(self.descendants('answer'))} instances live")
        try:
            import urllib.request
            heard = {urllib.request.urlopen(self.address(), timeout=5).read().decode().strip() for _ in range(20)}
        except OSError as fault:
            heard = {str(fault)}
        if heard != {"2.0.0"}:
            wrong.append(f"the address answers {heard}")
        return wrong


def party_of(order):
    return next((party.get("id") or party.get("name") for party in order.get("relatedParty", []) if party.get("role") == "requester"), "")
