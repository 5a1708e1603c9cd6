"""fault_network.py KIND...: releases over a network between engine and core that breaks in one way, each a kind; see lost-replies.flow, which runs it.
Each is a release of the next version: publish, order, shift, promote, retire. Whatever is lost, each is done once: counted by what was made. `back-KIND` is one
that fails before its promotion, so that what is undone goes over the same network."""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from lab import Lab  # noqa: E402
from proxy import Proxy  # noqa: E402
from server import BUILD  # noqa: E402

# Which requests that change something are broken: all of them where the work is done nevertheless, else every other one, so that it may come to an end.
EACH, OTHER = 1, 2
KINDS = {
    "drop": ("drop", EACH),  # the work is done, the reply is lost
    "500": ("500", EACH),  # the work is done, and 500 is answered
    "torn": ("torn", EACH),  # the work is done, half of the answer comes
    "twice": ("twice", EACH),
    "refuse": ("refuse", OTHER),  # the connection is closed without an answer
    "unavailable": ("unavailable", OTHER),  # 503
    "error": ("error", OTHER),  # 500, and nothing is done
    "silent": ("silent", OTHER),  # no answer, ever
    "gone": ("gone", OTHER),  # the core is killed before it has the request, and started again
    "killed": ("killed", OTHER),  # the core is killed when it has answered, which nobody hears, and started again
}


class Network(Proxy):
    """Breaks requests that change something by the kind that is set."""

    def __init__(self, lab):
        super().__init__(f"127.0.0.1:{lab.core.port}")
        self.lab, self.kind, self.seen, self.restarts = lab, None, 0, []

    def choose(self, method, path):
        kind = self.kind
        if method == "GET" or not kind or path.startswith("/lease/"):
            return super().choose(method, path)
        fault, every = KINDS[kind]
        every = OTHER if method == "PUT" else every  # a package's bytes are just sent again
        with self.lock:
            self.seen += 1
            hit = every == EACH or self.seen % OTHER == 1
        if not hit:
            return {}
        self.faults[fault] += 1
        if fault == "silent":
            time.sleep(600)
        if fault == "gone":
            self.restart()
        if fault == "killed":
            threading.Timer(0.03, self.restart).start()
        return {"fault": {"gone": "refuse", "killed": "drop", "silent": "refuse"}.get(fault, fault)}

    def restart(self):
        with self.lock:
            self.lab.core.end(signal.SIGKILL)
            self.lab.core.start()

    def settle(self):
        """Returns when the core that was killed last is there again."""
        time.sleep(0.1)
        with self.lock:
            pass


class Release:
    """A repository whose service is released in one version after another, over the network."""

    def __init__(self, lab, address):
        self.lab, self.folder = lab, lab.folder / "repository"
        (self.folder / "bin").mkdir(parents=True)
        shutil.copy(BUILD / "answer", self.folder / "bin/answer")
        (lab.folder / "data/domains/lab.yaml").write_text(f"domain: lab\nurl: http://{address}\nrequest-life: 200ms\npolicy: {{ lease: 30s }}\n")

    def run(self, version, timeout, test):
        words = ", ".join(json.dumps(word) for word in ("bin/answer", "$(PORT_HTTP)", "--healthz", "--body", version))
        (self.folder / "service.yaml").write_text(
            f"service: answer\nversion: {version}\nkind: microservice\ncomponents:\n"
            f"  - compute: {{ name: answer, cpu: 100m, memory: 64MiB, ports: {{ http: 8080 }}, command: [{words}], health: {{ http: /healthz }} }}\n")
        also = f"\n        timeout: {timeout}\n        retry: {{ times: 5, on: [timeout] }}" if timeout else ""
        (self.folder / "crescendo.yaml").write_text(f"""
service: service.yaml
stages:
  - stage: release
    steps:
      - package: {{ contents: {{ bin/answer: bin/answer }} }}
      - publish: {{ packages: "${{{{ steps.package.file }}}}", catalogue: lab }}{also}
      - order: {{ domain: lab, offering: "${{{{ steps.publish.offering }}}}" }}{also}
      - shift: {{ domain: lab, service: "${{{{ steps.order.service }}}}", share: 25% }}{also}
      - run: {test}
      - promote: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}{also}
      - retire: {{ domain: lab, service: "${{{{ steps.promote.previous }}}}" }}{also}
""")
        done = subprocess.run([str(BUILD / "crescendo"), "run", "crescendo.yaml", "--detach", "--json"], cwd=self.folder,
                              env=self.lab.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"crescendo run: {done.stdout} {done.stderr}")
        return json.loads(done.stdout)["run"]


def check(lab, version, before, row, kind):
    wrong = []
    goes_back = kind.startswith("back-")
    doubled = kind.endswith("twice")  # what the standard gives no key may then be there twice: harmless, as whoever orders names one by its id
    if row["state"] != ("rolled_back" if goes_back else "succeeded"):
        failed = [f"{step['path']} {step['state']} {step.get('reason')}: {step.get('message')}" for step in row["steps"]
                  if step["state"] not in ("succeeded", "skipped")]
        wrong.append(f"run is {row['state']} {row.get('reason')} {row.get('message')} {failed}")
    for name in ("serviceCatalogManagement/v4/serviceSpecification", "serviceCatalogManagement/v4/serviceCandidate",
                 "productCatalogManagement/v4/productSpecification", "productCatalogManagement/v4/productOffering"):
        made = [each["id"] for each in lab.ask(f"/tmf-api/{name}?limit=500") if each.get("version") == version]
        if len(made) != 1 and not (doubled and made and not name.endswith("serviceSpecification")):
            wrong.append(f"{name} of {version}: {made}")
    orders, services = lab.orders()[:], {service["id"]: service for service in lab.services()}
    new = [(order["id"], order["state"]) for order in orders if order["id"] not in before]
    if len(new) != 4 or any(state != "completed" for _, state in new):
        wrong.append(f"the orders were {new}, where 4 were meant")
    made = [service["id"] for service in services.values() if lab.version(service) == version]
    active = [service["id"] for service in services.values() if service["state"] == "active"]
    if len(made) != 1 or (active == made) == goes_back or len(active) != 1:
        wrong.append(f"services of {version}: {made}; active: {active}")
    if len(lab.descendants("answer")) != 1:
        wrong.append(f"{len(lab.descendants('answer'))} instances live")
    return wrong


def main():
    lab = Lab(separate_core=True)
    wrong = []
    try:
        lab.start()
        lab.publish("1.0.0")
        lab.order("1.0.0")
        load = lab.load(rate=50)
        with Network(lab) as network:
            release = Release(lab, network.address)
            for number, kind in enumerate(sys.argv[1:], 2):
                version, before = f"{number}.0.0", {order["id"] for order in lab.orders()}
                network.kind, network.seen = kind.removeprefix("back-"), 0
                silent = kind.endswith("silent")
                row = lab.wait(release.run(version, "3s" if silent else None, "false" if kind.startswith("back-") else "true"), 600 if silent else 60)
                fault, network.kind = KINDS[network.kind][0], None
                network.settle()
                found = check(lab, version, before, row, kind)
                if network.faults[fault] < 4:
                    found.append(f"only {network.faults} were on the way")
                wrong += [f"{kind}: {line}" for line in found]
                print(f"{kind}: {'not ' if found else ''}ok", flush=True)
        counted = load.stop()
        if counted["failed"]:
            wrong.append(f"{counted['failed']} requests failed: {counted['failures']} {counted['status']}")
    except Exception as fault:  # noqa: BLE001 a test reports whatever happened
        wrong.append(f"{type(fault).__name__}: {fault}")
    finally:
        lab.end(keep=bool(wrong))
    print("\n".join(wrong + [f"data kept in {lab.folder}"] if wrong else []))
    return 1 if wrong else 0


sys.exit(main())
