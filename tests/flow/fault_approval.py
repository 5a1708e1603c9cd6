"""fault_approval.py: the pipeline of examples/hello-service/canary.yaml from its stage `lab` on, between a canary on one domain and one on the next, where a person
decides: the author may not, one who says no, nobody in time, one who says yes; see canary-approval.flow, which runs it with the kinds. The same server and domains
for all, one after another."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from canary import BASELINE, until  # noqa: E402
from lab import BUILD, PORTS, Lab, free_ports  # noqa: E402

RATE = 300
POLICY = """  keep-old: 0s
  share: [50%]
  every: 250ms
  budget: { false-rollback: 1%, shortest: 1s, longest: 60s, warm-up: 100ms }
  kpis:
    - { kpi: latency, tolerate: 50%, clear: 300%, on-no-data: { hold: 5s, then: rollback } }
    - { kpi: errors, negligible: 20%, on-no-data: { hold: 5s, then: rollback } }
"""
PEOPLE = {"ann": "release-managers", "ben": "release-managers", "dan": "developers"}


def add_plant(lab):
    first = free_ports()
    (lab.folder / "data/domains").mkdir(parents=True)
    (lab.folder / "data/domains/plant.yaml").write_text(
        f"domain: plant\nsite:\n  driver: process\n  address: 127.0.0.1\n  ports: {first}-{first + PORTS - 1}\npolicy:\n  lease: 30s\n{POLICY}")


def add_people(lab):
    tokens = lab.folder / "tokens"
    tokens.write_text("".join(f"{name} {group} {hashlib.sha256(name.encode()).hexdigest()}\n" for name, group in PEOPLE.items()))
    lab.server.options = ("--token-file", str(tokens))


def say(lab, person, *words):
    """Returns the exit code and what was said."""
    done = subprocess.run([str(BUILD / "crescendo"), *words], env=dict(lab.environment(), CRESCENDO_TOKEN=person), cwd=lab.folder,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def submit(lab, person, version, expires="24h"):
    text = pathlib.Path(os.environ["ROOT"], "examples/hello-service/canary.yaml").read_text()
    text = "stages:\n" + text[text.index("  - stage: lab"):]
    text = text.replace("${{ stages.publish.offer.offering }}", lab.offerings[version]).replace("expires: 24h", f"expires: {expires}")
    (lab.folder / "crescendo.yaml").write_text(text)
    code, told = say(lab, person, "run", "crescendo.yaml", "--detach", "--json")
    if code:
        raise RuntimeError(f"not submitted: {told}")
    return json.loads(told)["run"]


def serving(lab):
    """Of each domain, which version gets what, and nothing else that lives."""
    found = {}
    for service in lab.services():
        if service["state"] == "active":
            found.setdefault(lab.domain(service), {})[lab.version(service)] = lab.characteristic(service, "traffic.share")
    return found


def check(lab, run, state, reason, lab_serves, plant_serves, words):
    row, wrong = lab.wait(run), []
    if (row["state"], row.get("reason")) != (state, reason):
        wrong.append(f"run {run} is {row['state']} {row.get('reason')}, not {state} {reason}: {row.get('message')}")
    if (found := serving(lab)) != {"lab": {lab_serves: 100}, "plant": {plant_serves: 100}}:
        wrong.append(f"after run {run} there is {found}")
    _, told = say(lab, "ann", "explain", str(run))
    wrong += [f"explain lacks \"{each}\": {told}" for each in words if each not in told]
    return wrong


def waits(lab, run):
    row = lab.server.ask("GET", f"/v1/runs/{run}")
    if row["state"] in ("failed", "rolled_back", "succeeded"):
        raise RuntimeError(f"run {run} is {row['state']}: {row.get('message')}")
    return row["state"] == "waiting" and row.get("waiting_for") == "approval"


def refused(lab, person, verb, run, code, words):
    found, told = say(lab, person, verb, str(run))
    return [] if found == code and words in told else [f"{person} may {verb}: {found} {told}"]


def rejected(lab):
    run = submit(lab, "ann", "1.1.0")
    until("the lab's canary", lambda: waits(lab, run))
    wrong = refused(lab, "ann", "approve", run, 4, "started")
    wrong += refused(lab, "dan", "approve", run, 4, "release-managers")
    wrong += refused(lab, "ben", "reject", run, 0, "")
    wrong += check(lab, run, "failed", "rejected", "1.1.0", "1.0.0", ["the verdict is promote", "ben rejected", "plant"])
    return wrong + refused(lab, "ben", "approve", run, 1, "")


def expired(lab):
    run = submit(lab, "ann", "1.2.0", expires="1s")
    wrong = check(lab, run, "failed", "expired", "1.2.0", "1.0.0", ["the verdict is promote", "nobody decided in time"])
    return wrong + refused(lab, "ben", "approve", run, 1, "")


def cancelled(lab):
    run = submit(lab, "ann", "1.3.0")
    until("the lab's canary", lambda: waits(lab, run))
    say(lab, "ann", "cancel", str(run))
    return check(lab, run, "cancelled", "operator", "1.3.0", "1.0.0", ["ann cancelled"])


def approved(lab):
    run = submit(lab, "ann", "1.4.0")
    until("the lab's canary", lambda: waits(lab, run))
    say(lab, "ben", "approve", str(run))
    return check(lab, run, "succeeded", None, "1.4.0", "1.4.0", ["ben approved"])


def begin(lab):
    add_people(lab)
    add_plant(lab)
    lab.start()
    for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0"):
        lab.publish(version, *BASELINE)
    lab.say("order", "add", "answer@1.0.0", "--domain", "lab")
    lab.say("order", "add", "answer@1.0.0", "--domain", "plant")
    return [lab.load(RATE, domain=domain) for domain in ("lab", "plant")]


KINDS = {"rejected": rejected, "expired": expired, "cancelled": cancelled, "approved": approved}


def main():
    lab, wrong = Lab(policy=POLICY), []
    try:
        loads = begin(lab)
        for kind in sys.argv[1:]:
            wrong += KINDS[kind](lab)
        for counted in (load.stop() for load in loads):
            if counted["failed"]:
                wrong.append(f"{counted['failed']} requests failed: {json.dumps(counted['failures'])}")
    except Exception as fault:  # noqa: BLE001 a test reports whatever happened
        wrong.append(f"{type(fault).__name__}: {fault}")
    finally:
        lab.end(keep=bool(wrong))
    print("\n".join(f"{line} (data kept in {lab.folder})" for line in wrong))
    return 1 if wrong else 0


sys.exit(main())
