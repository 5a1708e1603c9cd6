"""fault_cancel.py: a person cancels canaries, one after the other on one domain, each at another moment; see kpi-cancelled.flow, which runs it with lists of moments:
`ordering`, a share, `share N` (while that change of share is under way), `verdict` (it is about to be promoted), `promoting`."""
import concurrent.futures
import os
import sys

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from canary import BASELINE, check_end, check_load, check_record, checkpoints, pipeline, shares, until  # noqa: E402
from lab import Lab  # noqa: E402

RATE = 300
POLICY = """  share: [5%, 25%, 50%]
  every: 250ms
  budget: { false-rollback: 1%, shortest: 1s, longest: 60s, warm-up: 100ms }
  kpis:
    - { kpi: latency, tolerate: 50%, clear: 300%, on-no-data: { hold: 5s, then: rollback } }
    - { kpi: errors, negligible: 20%, on-no-data: { hold: 5s, then: rollback } }
"""


def step(lab, run, name):
    return next((each["state"] for each in lab.server.ask("GET", f"/v1/runs/{run}")["steps"] if each["path"] == f"release/{name}"), None)


def has_come(lab, run, moment):
    if moment == "ordering":
        return len(lab.orders()) > lab.before
    if moment == "verdict":
        return step(lab, run, "pause") == "running"
    if moment == "promoting":
        return step(lab, run, "promote") == "running"
    if moment.startswith("share "):
        return len(lab.orders()) - lab.before > int(moment.split()[1])  # the first order is the version's
    return shares(lab).get("1.1.0") == float(moment)


def cancel_at(lab, moment):
    lab.before = len(lab.orders())
    run = lab.server.submit(pipeline(lab, between="sleep 60" if moment == "verdict" else ""))
    until(moment, lambda: has_come(lab, run, moment))
    lab.server.ask("POST", f"/v1/runs/{run}/cancel", {})
    state = lab.wait(run)["state"]
    if moment == "promoting" and state == "cancelled":  # there is no way back from a promotion that was done: it stands, whole
        return check_end(lab, run, "cancelled", "operator", "1.1.0") + check_record(lab, run, "promote")
    wrong = check_end(lab, run, "rolled_back", "operator", "1.0.0")
    if checkpoints(lab, run):
        wrong += check_record(lab, run, "promote" if moment in ("verdict", "promoting") else None)
    if left := [each["id"] for each in lab.services() if lab.version(each) == "1.1.0" and each["state"] != "terminated"]:
        wrong.append(f"{left} are left")
    return [f"cancelled at {moment}: {line}" for line in wrong]


def one(moments):
    lab, wrong = Lab(policy=POLICY), []
    try:
        lab.start()
        lab.publish("1.0.0", *BASELINE)
        lab.publish("1.1.0", *BASELINE)
        lab.order("1.0.0")
        load = lab.load(RATE)
        for moment in moments:
            wrong += cancel_at(lab, moment)
        wrong += check_load(load)
    except Exception as fault:  # noqa: BLE001 a test reports whatever happened
        wrong.append(f"{type(fault).__name__}: {fault}")
    finally:
        lab.end(keep=bool(wrong))
    return [f"{line} (data kept in {lab.folder})" for line in wrong]


with concurrent.futures.ThreadPoolExecutor() as pool:
    found = [line for wrong in pool.map(one, [words.split(",") for words in sys.argv[1:]]) for line in wrong]
print("\n".join(found))
sys.exit(1 if found else 0)
