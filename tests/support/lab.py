"""lab.py: a domain with all that belongs to it, for tests that break it: the engine's server, the core (inside of it, or a program by itself), the keeper,
HAProxy, services from build/answer, and a load generator; and what must be true of them afterwards."""
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tarfile
import tempfile
import time

from server import BUILD, Server

PORTS = 8
WATCHERS = ("guardian", "deputy")  # no request is ever under way on these
LOCK = "hhqqi4x"  # struct flock
RATE = 100  # requests a second
ENDS = ("succeeded", "failed", "cancelled", "rolled_back", "rollback_failed", "needs_person")


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


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
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
    def __init__(self, url, rate, *more):
        self.process = subprocess.Popen([str(BUILD / "load"), "--url", url, "--rate", str(rate), "--seconds", "0", "--count-by", "body", "--json", *more],
                                        stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=20)[0])


class Lab:
    def __init__(self, separate_core=False, lease="30s", policy=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="crescendo-lab-"))
        self.server = Server(self.folder / "data")
        self.core = Core(self.folder / "core") if separate_core else None
        self.core_data = self.folder / ("core" if separate_core else "data/core")
        self.first_port = free_ports()
        self.lease, self.policy = lease, policy  # the policy's other lines
        self.offerings = {}
        self.loads = []

    # --- up and down ---

    def start(self):
        site = f"site:\n  driver: process\n  address: 127.0.0.1\n  ports: {self.first_port}-{self.first_port + PORTS - 1}\n"
        policy = f"policy:\n  lease: {self.lease}\n{self.policy}"
        if self.core:
            (self.core_data / "domains").mkdir(parents=True)
            (self.core_data / "domains/lab.yaml").write_text("domain: lab\n" + site)
            self.core.start()
            site = f"url: http://127.0.0.1:{self.core.port}\n"
        (self.folder / "data/domains").mkdir(parents=True, exist_ok=True)
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
        while pids := self.guardians() + self.deputies() + self.keepers():  # who is left may start another one meanwhile
            for pid in pids:
                kill(pid)
            time.sleep(0.01)
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

    def write_package(self, version, *options, program=BUILD / "answer"):
        folder = self.folder / f"package-{version}"
        (folder / "bin").mkdir(parents=True)
        shutil.copy(program, folder / "bin/answer")
        words = ", ".join(json.dumps(word) for word in ("bin/answer", "$(PORT_HTTP)", "--healthz", "--body", version, *options))
        (folder / "service.yaml").write_text(
            f"service: answer\nversion: {version}\nkind: microservice\ncomponents:\n"
            f"  - compute: {{ name: answer, cpu: 100m, memory: 64MiB, ports: {{ http: 8080 }}, command: [{words}], health: {{ http: /healthz }} }}\n")
        with tarfile.open(folder / "answer.tar.gz", "w:gz") as archive:
            archive.add(folder / "bin/answer", "bin/answer")
            archive.add(folder / "service.yaml", "service.yaml")
        return folder

    def publish(self, version, *options, program=BUILD / "answer"):
        folder = self.write_package(version, *options, program=program)
        self.say("catalogue", "publish", str(folder / "answer.tar.gz"), "--service", str(folder / "service.yaml"))
        self.offerings[version] = next(each["id"] for each in self.ask("/tmf-api/productCatalogManagement/v4/productOffering")
                                       if each["version"] == version)

    def order(self, version):
        self.say("order", "add", f"answer@{version}", "--domain", "lab")
        return next(each["id"] for each in self.services() if self.version(each) == version)

    def release_pipeline(self, version, between="sleep 0.5", retry=True):
        again = "\n        retry: { times: 9, on: [worker_lost] }" if retry else ""
        return f"""
stages:
  - stage: release
    checkout: none
    steps:
      - id: order
        order: {{ domain: lab, offering: "{self.offerings[version]}" }}{again}
      - id: shift
        shift: {{ domain: lab, service: "${{{{ steps.order.service }}}}", share: 25% }}{again}
      - run: {between}{again}
      - id: promote
        promote: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}{again}
      - retire: {{ domain: lab, service: "${{{{ steps.promote.previous }}}}" }}{again}
"""

    def release(self, version, between="sleep 0.5", retry=True):
        return self.server.submit(self.release_pipeline(version, between, retry))

    def load(self, rate=RATE, *more, domain="lab"):
        self.loads.append(Load(self.address(domain) + "/", rate, *more))
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

    @staticmethod
    def domain(service):
        return next(place["name"] for place in service["place"])

    def address(self, domain="lab"):
        return next(self.characteristic(each, "address") for each in self.services()
                    if each["state"] == "active" and self.domain(each) == domain).rstrip("/")

    # --- killing ---

    def shims(self, spares=False):
        """Runs' supervisors and, since those have no other name, their sandboxes' first processes; spares: also those that no run has yet."""
        return [pid for pid in processes() if (words := words_of(pid)) and words[0].endswith("crescendo-shim") and "--keep" not in words and
                (spares or "--spare" not in words) and any(word.startswith(str(self.folder)) for word in words)]

    def holders(self, byte):
        """Who holds this part of a keeper's lock: docs/formats/keeper-protocol.md says what it is."""
        found = []
        for path in self.core_data.glob("keepers/*/keeper.lock"):
            with open(path, "r+b") as file:
                kind, _, _, _, pid = struct.unpack(LOCK, fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(LOCK, fcntl.F_WRLCK, 0, byte, 1, 0)))
                found += [pid] if kind != fcntl.F_UNLCK else []
        return found

    def guardians(self):
        return self.holders(0)

    def keepers(self):
        return self.holders(1)

    def deputies(self):
        return self.holders(2)

    def supervisors(self, of_core):
        pids = self.shims()
        return [pid for pid in pids if parent_of(pid) not in pids and
                any(word.startswith(str(self.core_data)) for word in words_of(pid)) == of_core]

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

    def kill(self, kind, patience=1):
        """Returns how many processes were hit. It waits for a supervisor: those of the core's orders live for a moment only."""
        hit = 0
        for what in kind:
            if what == "server" and self.server.process:
                self.server.kill()
                hit += 1
            elif what == "core":
                self.core.end(signal.SIGKILL)
                hit += 1
            else:
                end = time.monotonic() + (patience if what.endswith("shim") else 0)
                while not (pids := self.victims(what)) and time.monotonic() < end:
                    time.sleep(0.005)
                for pid in pids:
                    kill(pid)
                hit += len(pids)
        return hit

    def victims(self, what):
        if what == "keeper":
            return self.keepers()
        if what == "guardian":
            return self.guardians()
        if what == "deputy":
            return self.deputies()
        if what in ("shim", "lone-shim"):
            return self.supervisors(of_core=False)
        if what == "core-shim":
            return self.supervisors(of_core=True)
        return self.descendants("haproxy") if what == "haproxy" else self.descendants("answer")[:1]

    # --- what must be true ---

    def wait(self, run, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            row = self.server.ask("GET", f"/v1/runs/{run}")
            if row["state"] in ENDS:
                return row
            time.sleep(0.05)
        raise RuntimeError(f"run {run} did not end: {row['state']}")

    def check_release(self, run, first, counted, kind):
        """After a release of version 2.0.0 beside service `first`: what is wrong, a line each. A run whose supervisor was killed and that may not try
        again fails: it has gone back to version 1.0.0, or it had promoted version 2.0.0 and could not retire the other."""
        row, wrong = self.wait(run), []
        promoted = any(order["state"] == "completed" and order.get("description", "").startswith("release/promote ")
                       for order in self.orders())  # its step's end may not have been seen
        gave_up = "lone-shim" in kind and row.get("reason") == "worker_lost" and row["state"] in ("failed", "rolled_back")
        back = gave_up and not promoted
        if row["state"] != "succeeded" and not gave_up:
            failed = [f"{step['path']} {step['state']}: {step.get('message')}" for step in row["steps"] if step["state"] not in ("succeeded", "skipped")]
            wrong.append(f"run is {row['state']} {row.get('reason')} {row.get('message')} {failed}")
        orders = self.orders()
        keys = [(party_of(order), order["externalId"]) for order in orders if order.get("externalId")]
        if len(set(keys)) != len(keys) or (not gave_up and len(orders) != 5):
            wrong.append(f"{len(orders)} orders where 5 were meant: {[(order['id'], order['state'], order.get('externalId')) for order in orders]}")
        if len(made := self.deployed("2.0.0")) > 1 or (not back and not made):
            wrong.append(f"version 2.0.0 was deployed {len(made)} times: {made}")
        if self.deployed("1.0.0") != {first}:
            wrong.append(f"version 1.0.0 was deployed as {self.deployed('1.0.0')}, ordered as {first}")
        end = time.monotonic() + 15  # what was killed last may still be on its way back
        while (left := self.left_to_do(first, made, back, gave_up)) and time.monotonic() < end:
            time.sleep(0.1)
        most = 4 * sum(what not in WATCHERS for what in kind)
        if counted["failed"] > most:
            wrong.append(f"{counted['failed']} requests failed: {counted['failures']} {counted['status']}")
        return wrong + left

    def deployed(self, version):
        """Services that a keeper was ever told to start: it writes each down, for telemetry, before it does."""
        lines = [line.split() for path in self.core_data.glob("**/telemetry/arms") for line in path.read_text().splitlines()]
        return {service for _, service, _, what in lines if what == version}

    def left_to_do(self, first, made, back, gave_up=False):
        wrong = []
        states = {service["id"]: service["state"] for service in self.services()}
        meant = {first: "active" if back else "terminated", **{each: "terminated" if back else "active" for each in made}}
        if gave_up and not back and states.get(first) == "active":
            meant[first] = "active"  # nobody retired it
        if any(states.get(service) != state for service, state in meant.items()):
            wrong.append(f"services are {states}, meant {meant}")
        if len(self.descendants("answer")) != list(meant.values()).count("active"):
            wrong.append(f"{len(self.descendants('answer'))} instances live")
        try:
            import urllib.request
            heard = {urllib.request.urlopen(self.address(), timeout=5).read().decode().strip() for _ in range(20)}
        except (OSError, StopIteration) as fault:
            heard = {str(fault)}
        if heard != {"1.0.0" if back else "2.0.0"}:
            wrong.append(f"the address answers {heard}")
        supervisors = self.supervisors(of_core=False) + self.supervisors(of_core=True)
        if supervisors:
            wrong.append(f"{len(supervisors)} supervisors outlive their runs: {[words_of(pid) for pid in supervisors]}")
        return wrong


def party_of(order):
    return next((party.get("id") or party.get("name") for party in order.get("relatedParty", []) if party.get("role") == "requester"), "")
