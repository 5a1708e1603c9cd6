"""fault_service.py: versions of a service that do not come up, each ordered by a pipeline beside a version in service; see bad-services.flow, which runs it."""
import copy
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from lab import Lab  # noqa: E402
from server import BUILD  # noqa: E402

GOOD = ["bin/answer", "$(PORT_HTTP)", "--healthz"]
BAD = ["bin/answer", "$(PORT_HTTP)"]
# name: command, more of the compute, what the order must say
SERVICES = {
    "missing": (["bin/nothing-there"], {}, ["nothing-there"]),
    "exits": (BAD + ["--say", "no such model: resnet", "--never-healthy", "--exit-after-ms", "1"], {}, ["no such model: resnet", "exited with code 3"]),
    "never-healthy": (BAD + ["--say", "waiting for the camera", "--never-healthy"], {"start": 1000}, ["waiting for the camera", "503"]),
    "leaks": (BAD + ["--leak", "--never-healthy"], {"start": 3000, "memory": 16 << 20}, ["memory"]),
    "deaf": (BAD + ["--say", "I do not stop", "--never-healthy", "--ignore-term"], {"start": 1000, "grace": 300}, ["I do not stop"]),
    "listens-nowhere": (BAD + ["--say", "no port for me", "--no-listen"], {"start": 1000}, ["no port for me"]),
}
COLLECTIONS = ("serviceCatalogManagement/v4/serviceSpecification", "serviceCatalogManagement/v4/serviceCandidate",
               "productCatalogManagement/v4/productSpecification", "productCatalogManagement/v4/productOffering")


def publish_like_the_first(lab, version, command, more):
    """What the catalogue has of 1.0.0, in another version whose compute differs."""
    ids = {}
    for name in COLLECTIONS:
        document = copy.deepcopy(next(each for each in lab.ask(f"/tmf-api/{name}?limit=500") if each.get("version") == "1.0.0"))
        old = document["id"]
        for key in ("id", "href", "lastUpdate"):
            document.pop(key, None)
        document["version"] = version
        for characteristic in document.get("specCharacteristic", []):
            if characteristic["name"] == "descriptor":
                descriptor = characteristic["characteristicValueSpecification"][0]["value"]
                descriptor["version"] = version
                descriptor["components"][0]["compute"].update(command=command, **more)
        ids[old] = lab.server.ask("POST", f"/tmf-api/{name}", refer(document, ids))["id"]
    return ids[old]


def refer(document, ids):
    """The same with references to what was made."""
    if isinstance(document, dict):
        return {key: ids.get(value, value) if key == "id" else refer(value, ids) for key, value in document.items() if key != "href"}
    return [refer(each, ids) for each in document] if isinstance(document, list) else document


def say_whatever(lab, *words):
    return subprocess.run([str(BUILD / "crescendo"), *words], env=lab.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=60).stdout


def check(lab, run, before, words, first):
    wrong = []
    row = lab.wait(run)
    if row["state"] != "rolled_back" and row["state"] != "failed":
        wrong.append(f"the run is {row['state']}")
    order = next((each for each in lab.orders() if each["id"] not in before), {"id": "0", "state": "never made"})
    step = next(step for step in row["steps"] if step["path"] == "release/order")
    said = {"the step": step.get("message") or "", "the order's errorMessage": str(order.get("errorMessage")),
            "crescendo order show": say_whatever(lab, "order", "show", order["id"]), "crescendo show": say_whatever(lab, "show", str(run))}
    if order["state"] != "failed":
        wrong.append(f"the order is {order['state']}")
    wrong += [f"{where} does not say '{word}': {text}" for where, text in said.items() for word in words if word not in text]
    end = time.monotonic() + 15
    while (left := left_over(lab, first)) and time.monotonic() < end:
        time.sleep(0.05)
    return wrong + left


def left_over(lab, first):
    wrong = []
    for service in lab.services():
        share, state = lab.characteristic(service, "traffic.share"), service["state"]
        if service["id"] == first and (state, share) != ("active", 100):
            wrong.append(f"the service in service is {state} with {share} %")
        if service["id"] != first and state != "terminated":
            wrong.append(f"service {service['id']} is {state}")
    kept = [each["service"] for each in lab.ask("/domain/v1/domains/lab")["keeper_services"]]
    if kept != [first]:
        wrong.append(f"the keeper has {kept}")
    if len(lab.descendants("answer")) != 1:
        wrong.append(f"{len(lab.descendants('answer'))} instances live")
    return wrong


def main():
    lab = Lab()
    wrong = []
    try:
        lab.start()
        lab.publish("1.0.0")
        first = lab.order("1.0.0")
        load = lab.load(rate=100)
        for number, name in enumerate(sys.argv[1:], 2):
            version, (command, more, words) = f"{number}.0.0", SERVICES[name]
            lab.offerings[version] = publish_like_the_first(lab, version, command, more)
            before, began = {order["id"] for order in lab.orders()}, time.monotonic()
            wrong += [f"{name}: {line}" for line in check(lab, lab.release(version), before, words, first)]
            print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
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
