"""person.py: who releases a service on a machine (machine.py): publishes two versions, orders the first, submits a run that packs, orders the second
beside it, shifts requests, asks for an approval, promotes and retires; looks what became of it where an answer was lost, and remembers what was acknowledged."""
import getpass
import time

from lab import ENDS

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
NO_WORKSPACE = "in the workspace"
TOLD_AFTER = 3  # seconds after which a person looks why nothing happens


class Lost(Exception):
    """What was acknowledged is not there."""


class Person:
    """pull_after: the acknowledgement (0 is the first) after which the plug is pulled."""

    def __init__(self, machine, pull_after=None, patience=30):
        self.machine, self.lab, self.pull_after, self.patience = machine, machine.lab, pull_after, patience
        self.acknowledged = []
        self.builds_lost = 0

    def acknowledge(self, what, is_there):
        self.acknowledged.append((what, is_there))
        if self.pull_after == len(self.acknowledged) - 1:
            self.machine.pull_the_plug()
        self.look_after()

    def look_after(self):
        for what, is_there in self.acknowledged:
            if not self.machine.again(is_there):
                raise Lost(f"acknowledged and lost: {what}")

    def wait(self, holds, what):
        begin = time.monotonic()
        while not (found := self.machine.again(holds)):
            waited = time.monotonic() - begin
            if waited > self.patience:
                raise RuntimeError(f"not within {self.patience} s: {what}")
            if waited > TOLD_AFTER and self.machine.names_the_disk(self.machine.log()):
                self.machine.mend()  # what is tried again goes on by itself
            time.sleep(0.01)
        return found

    # --- the flow ---

    def publish(self, version):
        def offerings():
            return [each["id"] for each in self.lab.ask("/tmf-api/productCatalogManagement/v4/productOffering") if each["version"] == version]
        package = self.lab.write_package(version)
        self.machine.again(lambda: self.lab.say("catalogue", "publish", str(package / "answer.tar.gz"), "--service", str(package / "service.yaml")))
        self.acknowledge(f"{version} is published", lambda: len(offerings()) == 1)
        self.lab.offerings[version] = self.machine.again(offerings)[0]

    def order(self, version):
        def order():
            if all(each["state"] == "failed" for each in self.lab.orders()):
                self.lab.say("order", "add", f"answer@{version}", "--domain", "lab", "--no-wait")  # who waits cannot look why

        def done():
            return [each for each in self.lab.orders() if each["state"] == "completed"]

        def done_or_failed():
            return done() or all(each["state"] == "failed" for each in self.lab.orders())
        self.machine.again(order)
        while not isinstance(self.wait(done_or_failed, f"{version} is deployed"), list):
            self.mend(f"an order: {self.machine.again(self.lab.orders)[-1]}")
            self.machine.again(order)
        self.acknowledge(f"{version} is ordered", done)
        return next(each["id"] for each in self.machine.again(self.lab.services))

    def runs(self):
        return [row["run"] for row in self.lab.server.ask("GET", "/v1/runs?limit=50")["runs"]]

    def submit(self, known):
        """known: the runs of before."""
        def submit():
            fresh = [run for run in self.runs() if run not in known]
            return fresh[0] if fresh else self.lab.server.submit(pipeline)
        pipeline = PIPELINE.format(again=AGAIN, offering=self.lab.offerings["2.0.0"], person=getpass.getuser())
        run = self.machine.again(submit)
        self.acknowledge(f"run {run} is accepted", lambda: run in self.runs())
        return run

    def row(self, run):
        return self.lab.server.ask("GET", f"/v1/runs/{run}")

    def is_approved(self, run):
        return any(step["path"] == "sign-off/approve" and step["state"] == "succeeded" for step in self.row(run)["steps"])

    def approve(self, run):
        def asked():
            row = self.row(run)
            return row if row["state"] in ENDS or row.get("waiting_for") == "approval" else None

        def approve():
            if not self.is_approved(run):
                self.lab.say("approve", str(run))
        row = self.wait(asked, f"run {run} asks for an approval")
        if row["state"] in ENDS:
            return row
        self.machine.again(approve)
        self.acknowledge(f"run {run} is approved", lambda: self.is_approved(run))
        return self.wait(lambda: (row := self.row(run))["state"] in ENDS and row, f"run {run} ends")

    def release(self):
        """All of it. Returns what is wrong."""
        self.publish("1.0.0")
        self.publish("2.0.0")
        first = self.order("1.0.0")
        run = self.submit([])
        row = self.approve(run)
        if row["state"] == "failed" and NO_WORKSPACE in row.get("message", "") and self.machine.power:
            self.builds_lost += 1  # a workspace is not synced: such a run fails, and is submitted again
            row = self.approve(self.submit([run]))
        if row["state"] != "succeeded" and self.machine.disk_failed():
            row = self.do_again(row, first)
        self.look_after()
        again = self.machine.disk_failed() and (len(self.runs()) > 1 or any(order["state"] == "failed" for order in self.lab.orders()))
        return (self.check_again if again else self.check)(row, first) + self.machine.check_journals()

    # --- a disk that failed, and is mended ---

    def mend(self, failed):
        """failed: what failed, and said why: a failure that does not name its cause leaves nobody knowing what to mend."""
        if not self.machine.names_the_disk(failed):
            raise RuntimeError(f"does not say that the disk failed: {failed}")
        self.machine.mend()

    def do_again(self, row, first):
        """What a person does when a run ended because of the disk: what stands half done is ended, and the release is made once more."""
        self.mend(f"run {row['run']} is {row['state']}: {row.get('message')} {[step.get('message') for step in row['steps']]}")
        promoted = any(step["path"] == "end/promote" and step["state"] == "succeeded" for step in row["steps"])
        for service in self.machine.again(self.lab.services):
            if service["state"] == "active" and promoted == (service["id"] == first):
                self.machine.again(lambda id_=service["id"]: self.lab.say("order", "delete", id_))
        if row["state"] == "rollback_failed":
            self.machine.again(lambda: self.lab.say("resolve", str(row["run"]), "--undone"))
        return dict(row, state="succeeded") if promoted else self.approve(self.submit(self.machine.again(self.runs)))

    def check_again(self, row, first):
        """As check, where some runs and orders failed and others stand for them: no key was used twice, nothing was deployed twice, one is left."""
        orders, services = self.lab.orders(), self.lab.services()
        wrong = [] if row["state"] == "succeeded" else [f"on a mended disk run {row['run']} is {row['state']} {row.get('message')}"]
        keys = [order["externalId"] for order in orders if order.get("externalId")]
        if len(set(keys)) != len(keys):
            wrong.append(f"one key, two orders: {[(order['id'], order['state'], order.get('externalId')) for order in orders]}")
        live = {service["id"] for service in services if service["state"] == "active"}
        made = self.lab.deployed("1.0.0") | self.lab.deployed("2.0.0")
        if len(made) > (added := sum(item["action"] == "add" for order in orders for item in order["serviceOrderItem"])):
            wrong.append(f"{added} services were ordered, and {made} deployed")
        if len(live) != 1 or any(service["state"] not in ("active", "terminated") for service in services):
            wrong.append(f"services are {[(service['id'], service['state']) for service in services]}")
        return wrong + self.still_left(first, live)

    # --- what must be true ---

    def check(self, row, first):
        wrong = []
        if row["state"] != "succeeded":
            failed = [f"{step['path']} {step['state']}: {step.get('message')}" for step in row["steps"] if step["state"] not in ("succeeded", "skipped")]
            wrong.append(f"run is {row['state']} {row.get('reason')} {row.get('message')} {failed}")
        made = self.lab.deployed("2.0.0")
        if len(made) != 1 or self.lab.deployed("1.0.0") != {first}:
            wrong.append(f"deployed: {self.lab.deployed('1.0.0')} of 1.0.0, ordered as {first}; {made} of 2.0.0")
        if len(orders := self.lab.orders()) != 5:
            wrong.append(f"{len(orders)} orders where 5 were meant: {[(order['id'], order['state'], order.get('externalId')) for order in orders]}")
        return wrong + self.still_left(first, made)

    def still_left(self, first, made):
        end = time.monotonic() + self.patience / 2
        while (left := self.lab.left_to_do(first, made, False)) and time.monotonic() < end:
            time.sleep(0.02)
        return left
