"""machine.py: a machine whose power goes at a chosen point, and comes back: a lab (support/lab.py) on a disk (disk.py), whose server is started again,
once, whenever it dies; and a person who does a release on it, looks what became of it when the answer was lost, and remembers what was acknowledged."""
import getpass
import http.client
import pathlib
import signal
import subprocess
import threading
import time

from disk import Disk
from lab import BUILD, ENDS, Lab, kill, parent_of, processes

AWAY = (OSError, http.client.HTTPException, RuntimeError)
AGAIN = "retry: { times: 9, on: [worker_lost] }"
PIPELINE = """
sandbox: none
stages:
  - stage: build
    checkout: none
    steps:
      - {{ run: "mkdir -p bin; echo 2.0.0 > bin/version", {again} }}
      - {{ id: package, package: {{ contents: {{ bin: bin }}, name: answer, version: 2.0.0 }}, {again} }}
  - stage: release
    needs: [build]
    checkout: none
    steps:
      - {{ id: order, order: {{ domain: lab, offering: "{offering}" }}, {again} }}
      - {{ id: shift, shift: {{ domain: lab, service: "${{{{ steps.order.service }}}}", share: 25% }}, {again} }}
  - stage: sign-off
    needs: [release]
    approve: {{ by: [{person}], ask: "Ship it?" }}
  - stage: end
    needs: [sign-off]
    checkout: none
    steps:
      - {{ id: promote, promote: {{ domain: lab, service: "${{{{ stages.release.order.service }}}}" }}, {again} }}
      - {{ retire: {{ domain: lab, service: "${{{{ steps.promote.previous }}}}" }}, {again} }}
"""


class Machine:
    """power: True: with the server everything dies, and what was not synced is lost; False: the server alone dies."""

    def __init__(self, power, chance, library=BUILD / "power/disk.so"):
        self.lab = Lab()
        self.lab.server.options = ("--allow-no-sandbox",)
        self.disk = Disk(self.lab.server.folder, self.lab.folder / "log", library)
        self.power, self.chance = power, chance
        self.died, self.status, self.lost, self.fault = threading.Event(), None, (0, 0), None
        self.up = threading.Event()
        self.ending = False
        self.server_died = None  # called with the machine before it is started again

    def start(self, **wanted):
        self.lab.server.environment = self.disk.environment(**wanted)
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        try:
            self.lab.start()
        except RuntimeError:
            pass  # it died while it started: the watcher sees it
        self.watcher.start()
        self.up.set()

    def watch(self):
        self.status = self.lab.server.process.wait()
        if self.ending:
            return
        self.up.clear()
        self.died.set()
        try:
            if self.power:
                self.power_off()
                self.lost = self.disk.cut(self.chance)
            self.lab.server.environment = None
            self.lab.server.process = None
            self.lab.server.start()
        except Exception as fault:  # noqa: BLE001 said at the end
            self.fault = f"not started again: {type(fault).__name__}: {fault}"
        self.up.set()

    def power_off(self):
        """Everything that came from this server, in one go as far as it can be."""
        while roots := set(self.lab.shims() + self.lab.guardians() + self.lab.deputies() + self.lab.keepers()):
            for pid in roots:
                kill(pid, signal.SIGSTOP)  # so that none of them sees another one die
            for pid in processes():
                above = pid
                while above > 1 and above not in roots:
                    above = parent_of(above)
                if above in roots and pid not in roots:
                    kill(pid)
            for pid in roots:
                kill(pid)

    def end(self, keep):
        self.ending = True
        self.lab.end(keep)

    # --- a person ---

    def again(self, ask, seconds=30):
        """Asks until there is an answer: the server may be away once."""
        end = time.monotonic() + seconds
        while True:
            self.up.wait(seconds)
            if self.fault:
                raise RuntimeError(self.fault)
            try:
                return ask()
            except AWAY:
                if not self.away_soon() or time.monotonic() > end:
                    raise

    def away_soon(self):
        """Was that error the server's death? It may not be over yet."""
        return self.died.wait(1) and not time.sleep(0.01)

    def publish(self, version):
        def offering():
            return [each["id"] for each in self.lab.ask("/tmf-api/productCatalogManagement/v4/productOffering") if each["version"] == version]
        package = self.lab.folder / f"package-{version}"
        if not package.exists():
            self.lab.write_package(version)
        self.again(lambda: self.lab.say("catalogue", "publish", str(package / "answer.tar.gz"), "--service", str(package / "service.yaml")))
        found = self.again(offering)
        if len(found) != 1:
            raise RuntimeError(f"{version} was published, acknowledged, and is there {len(found)} times")
        self.lab.offerings[version] = found[0]

    def order(self, version):
        def order():
            if not self.lab.orders():
                self.lab.say("order", "add", f"answer@{version}", "--domain", "lab")
            return self.lab.orders()
        found = self.again(order)
        if len(found) != 1:
            raise RuntimeError(f"the order was acknowledged, and is there {len(found)} times")
        return self.wait(lambda: next((each["id"] for each in self.lab.services() if each["state"] == "active"), None), "a service")

    def submit(self, pipeline):
        def submit():
            runs = self.lab.server.ask("GET", "/v1/runs?limit=5")["runs"]
            return runs[0]["run"] if runs else self.lab.server.submit(pipeline)
        return self.again(submit)

    def wait(self, holds, what, seconds=40):
        end = time.monotonic() + seconds
        while not (found := self.again(holds)):
            if time.monotonic() > end:
                raise RuntimeError(f"not within {seconds} s: {what}")
            time.sleep(0.01)
        return found

    def approve(self, run):
        def asked():
            row = self.lab.server.ask("GET", f"/v1/runs/{run}")
            return row if row["state"] in ENDS or row.get("waiting_for") == "approval" else None

        def approve():
            if asked_now := asked():
                if asked_now["state"] not in ENDS:
                    self.lab.say("approve", str(run))
        self.wait(asked, f"run {run} asks for an approval")
        self.again(approve)

    def release(self):
        """The whole flow. Returns what is wrong."""
        self.publish("1.0.0")
        self.publish("2.0.0")
        first = self.order("1.0.0")
        run = self.submit(PIPELINE.format(again=AGAIN, offering=self.lab.offerings["2.0.0"], person=getpass.getuser()))
        self.approve(run)
        return self.check(run, first)

    # --- what must be true ---

    def check(self, run, first):
        wrong = []
        try:
            row = self.again(lambda: self.lab.wait(run, 20))
        except RuntimeError as fault:
            return [f"an acknowledged run or approval is lost, or it hangs: {fault}"]
        if row["state"] != "succeeded":
            failed = [f"{step['path']} {step['state']}: {step.get('message')}" for step in row["steps"] if step["state"] not in ("succeeded", "skipped")]
            wrong.append(f"run is {row['state']} {row.get('reason')} {row.get('message')} {failed}")
        made = self.lab.deployed("2.0.0")
        if len(made) != 1 or self.lab.deployed("1.0.0") != {first}:
            wrong.append(f"deployed: {self.lab.deployed('1.0.0')} of 1.0.0, ordered as {first}; {made} of 2.0.0")
        if len(orders := self.lab.orders()) != 5:
            wrong.append(f"{len(orders)} orders where 5 were meant: {[(order['id'], order['state'], order.get('externalId')) for order in orders]}")
        end = time.monotonic() + 15
        while (left := self.lab.left_to_do(first, made, False)) and time.monotonic() < end:
            time.sleep(0.05)
        return wrong + left + self.fsck()

    def fsck(self):
        wrong = []
        for journal in pathlib.Path(self.lab.server.folder).rglob("journal.db"):
            done = subprocess.run([str(BUILD / "crescendo"), "fsck", "--data", str(journal.parent)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False, timeout=60)
            if done.returncode:
                wrong.append(f"crescendo fsck --data {journal.parent}: {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return wrong
