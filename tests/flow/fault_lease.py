"""fault_lease.py: the engine is killed in mid-canary and stays dead for longer than the lease; see lease-canary.flow, which runs it with the kinds."""
import concurrent.futures
import json
import os
import sys
import time
import urllib.request

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from lab import Lab  # noqa: E402

LEASE_S, GRACE_S, SILENT = 5, 2, 60  # so many baseline answers in a row say that the canary is silent: 0.75 to the 60th is nothing

APPROVAL = """
  - stage: sign-off
    approve: { by: [release-managers] }
  - stage: rest
    checkout: none
    steps: [{ id: promote, promote: { domain: lab, service: "${{ stages.release.order.service }}" } }]
"""


def pipeline(lab, kind):
    text = lab.release_pipeline("2.0.0", between="sleep 100")
    return text[:text.index("      - run:")] + APPROVAL if kind == "approval" else text


def until(what, seconds, holds):
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return found


def shifted(lab, run):
    row = lab.server.ask("GET", f"/v1/runs/{run}")
    if row["state"] not in ("queued", "running", "waiting"):
        raise RuntimeError(f"run {run} is {row['state']}: {json.dumps(row)[:2000]}")
    return any(step["path"] == "release/shift" and step["state"] == "succeeded" for step in row["steps"])


def canary_is_silent(address):
    for _ in range(SILENT):
        if urllib.request.urlopen(address + "/", timeout=5).read().decode().strip() != "1.0.0":
            return False
    return True


def last_answer_of(lab, version):
    """When the last request came that this version served, in seconds since 1970, and how many it were: by the domain's own records."""
    lines = lab.raw(f"/telemetry/v1/samples?domain=lab&version={version}&limit=100000").decode().splitlines()
    times = [sample["time"] for sample in map(json.loads, lines) if "time" in sample and "gap" not in sample]
    return max(times) / 1e6, len(times)


def check_inventory(lab, first):
    services = {service["id"]: service for service in lab.services()}
    canary = next(service for service in services.values() if lab.version(service) == "2.0.0")
    wrong = []
    if canary["state"] != "terminated":
        wrong.append(f"the canary is {canary['state']}")
    if services[first]["state"] != "active" or lab.characteristic(services[first], "traffic.share") != 100:
        wrong.append(f"the baseline is {services[first]['state']} with {lab.characteristic(services[first], 'traffic.share')} %")
    return wrong


def one(kind):
    lab = Lab(separate_core=kind == "core", lease=f"{LEASE_S}s")
    wrong = []
    try:
        lab.start()
        lab.publish("1.0.0")
        lab.publish("2.0.0")
        first = lab.order("1.0.0")
        load, address = lab.load(rate=100), lab.address()
        run = lab.server.submit(pipeline(lab, kind))
        until("the canary has its share", 30, lambda: shifted(lab, run))
        keepers = lab.keepers()
        time.sleep(LEASE_S / 2)  # some renewals
        lab.server.kill()
        killed = time.time()
        until("every request is served by the baseline", 60, lambda: canary_is_silent(address))
        if lab.keepers() != keepers:
            wrong.append(f"the keeper was {keepers} and is {lab.keepers()}")
        lab.start_again()
        row = lab.wait(run)
        if (row["state"], row.get("reason")) != ("rolled_back", "lease_lost"):
            wrong.append(f"run {run} is {row['state']} {row.get('reason')} {row.get('message')}")
        until("the inventory is as before", 15, lambda: not check_inventory(lab, first))
        last, count = last_answer_of(lab, "2.0.0")
        if count < 10 or last > killed + LEASE_S + GRACE_S or last < killed:
            wrong.append(f"the canary served {count} requests, the last {last - killed:.1f} s after the kill")
        counted = load.stop()
        if counted["failed"]:
            wrong.append(f"{counted['failed']} requests failed: {counted['failures']} {counted['status']}")
    except Exception as fault:  # noqa: BLE001 a test reports whatever happened
        wrong += [f"{type(fault).__name__}: {fault}"] + check_inventory(lab, first)
    finally:
        lab.end(keep=bool(wrong))
    return [f"{kind}: {line} (data kept in {lab.folder})" for line in wrong]


with concurrent.futures.ThreadPoolExecutor() as pool:
    found = [line for wrong in pool.map(one, sys.argv[1:]) for line in wrong]
print("\n".join(found))
sys.exit(1 if found else 0)
