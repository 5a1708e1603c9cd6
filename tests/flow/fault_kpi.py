"""fault_kpi.py: canaries under real requests, each with its verdict; see kpi-*.flow, which run it with the names of canaries."""
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from lab import Lab  # noqa: E402
from server import BUILD  # noqa: E402

RATE = 400
POLICY = """  share: [25%, 50%]
  every: 250ms
  budget: { false-rollback: 1%, shortest: 1s, longest: 60s, warm-up: 200ms }
  kpis:
    - { kpi: latency, tolerate: 20%, clear: 80%, on-no-data: { hold: 2s, then: rollback } }
    - { kpi: errors, negligible: 5%, on-no-data: { hold: 2s, then: rollback } }
"""
BASELINE = ["--delay-ms", "5"]


def pipeline(lab):
    return f"""
stages:
  - stage: release
    checkout: none
    steps:
      - id: order
        order: {{ domain: lab, offering: "{lab.offerings['1.1.0']}" }}
      - id: judge
        kpi: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}
      - id: promote
        promote: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}
"""


def events(lab, run):
    """All that is on record of a run that is over."""
    lines = lab.raw(f"/v1/runs/{run}/events").decode().splitlines()
    return [json.loads(line[len("data: "):]) for line in lines if line.startswith("data: ")]


def checkpoints(lab, run):
    found = [event["data"].get("checkpoint") for event in events(lab, run) if event["type"] == "step_checkpoint"]
    return [each for each in found if isinstance(each, dict) and "evidence" in each]


def ticks(lab, run):
    return [tick for checkpoint in checkpoints(lab, run) for tick in checkpoint["ticks"]]


def shares(lab):
    return {lab.version(each): lab.characteristic(each, "traffic.share") for each in lab.services() if each["state"] == "active"}


def until(what, holds, seconds=30):
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return found


def lines(lab, run):
    return [line for line in lab.say("logs", str(run)).splitlines() if "tick " in line]


# --- what must be true of every canary ---


def replays(checkpoints_now):
    done = subprocess.run([str(BUILD / "crescendo-step"), "kpi", "--replay"], input=json.dumps(checkpoints_now), capture_output=True, text=True, check=False)
    return done.returncode == 0 and json.loads(done.stdout) == checkpoints_now


def check_record(lab, run, verdict):
    wrong, recorded = [], checkpoints(lab, run)
    numbers = [tick["tick"] for tick in ticks(lab, run)]
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append(f"the ticks are numbered {numbers}")
    if verdict and (found := recorded[-1].get("verdict", {}).get("verdict")) != verdict:
        wrong.append(f"the verdict on record is {found}, not {verdict}")
    if not replays(recorded):
        wrong.append("the evidence does not replay to the same numbers")
    if "the same to the last bit" not in (told := lab.say("evidence", str(run), "--replay")):
        wrong.append(f"crescendo evidence --replay says {told}")
    if verdict and f"the verdict is {verdict.replace('_', ' ')} at tick {numbers[-1]}" not in (told := lab.say("explain", str(run))):
        wrong.append(f"the explanation lacks the verdict: {told}")
    if wide := [line for line in lines(lab, run) if len(line) > len("release/judge | ") + 110]:
        wrong.append(f"too wide: {wide[0]}")
    return wrong


def check_end(lab, run, state, reason, serves):
    row = lab.wait(run)
    wrong = []
    if (row["state"], row.get("reason")) != (state, reason):
        wrong.append(f"run {run} is {row['state']} {row.get('reason')}, not {state} {reason}: {row.get('message')}")
    if (found := shares(lab)).get(serves) != 100:
        wrong.append(f"the shares are {found}, and {serves} was to have 100 %")
    return wrong


def check_load(load):
    counted = load.stop()
    return [f"{counted['failed']} requests failed: {counted['failures']}"] if counted["failed"] else []


# --- the canaries ---


def good(lab, run):
    wrong = check_end(lab, run, "succeeded", None, "1.1.0") + check_record(lab, run, "promote")
    if (seen := sorted({tick["share"] for tick in ticks(lab, run)})) != [25, 50]:
        wrong.append(f"the shares were {seen}")
    return wrong


def slow(lab, run):
    wrong = check_end(lab, run, "rolled_back", "kpi_harm", "1.0.0") + check_record(lab, run, "harm")
    row = lab.server.ask("GET", f"/v1/runs/{run}")
    if "slower at equal load" not in (row.get("message") or ""):
        wrong.append(f"it says {row.get('message')}")
    names = [event["data"].get("name") for event in events(lab, run) if event["type"] == "effect_done"]
    if "back" not in names or names.index("back") < names.index("share 1"):
        wrong.append(f"its effects are {names}")
    return wrong


def failing(lab, run):
    """It answers at once, with errors: faster than the baseline, and harmful."""
    wrong = check_end(lab, run, "rolled_back", "kpi_harm", "1.0.0") + check_record(lab, run, "harm")
    if (kpi := checkpoints(lab, run)[-1].get("verdict", {}).get("kpi")) != "errors":
        wrong.append(f"harm was shown by {kpi}")
    return wrong


def silent(lab, run):
    return check_end(lab, run, "rolled_back", "no_data", "1.0.0") + check_record(lab, run, "no_data")


def killed(lab, run):
    """The server dies in mid-canary: the evidence goes on where it was. A stricter policy comes too late for it."""
    file = lab.folder / "data/domains/lab.yaml"
    for after in (3, 6):
        until(f"tick {after}", lambda: len(lines(lab, run)) >= after)  # noqa: B023 it is asked at once
        lab.server.kill()
        file.write_text(file.read_text().replace("longest: 60s", "longest: 59s"))
        lab.start_again()
    wrong = check_end(lab, run, "succeeded", None, "1.1.0") + check_record(lab, run, "promote")
    told = [event["data"]["message"] for event in events(lab, run) if event["type"] == "step_annotated"]
    if len(told) != 1 or "planned with" not in told[0]:
        wrong.append(f"of the changed policy it says {told}")
    return wrong


def hunted(lab, run):
    """The server dies again and again, at any moment: between ticks, in a tick, while a share is being changed."""
    for _ in range(15):
        time.sleep(random.uniform(0.05, 0.6))
        lab.server.kill()
        time.sleep(random.uniform(0, 0.2))
        lab.start_again()
        if lab.server.ask("GET", f"/v1/runs/{run}")["state"] in ("succeeded", "rolled_back"):
            break
    return check_end(lab, run, "succeeded", None, "1.1.0") + check_record(lab, run, "promote")


def cancelled(lab, run, share=50):
    until(f"{share} %", lambda: shares(lab).get("1.1.0") == share)
    lab.say("cancel", str(run))
    return check_end(lab, run, "rolled_back", "operator", "1.0.0") + check_record(lab, run, None)


KINDS = {"good": (BASELINE, RATE, good), "slow": (["--delay-ms", "12"], RATE, slow), "failing": (["--fail-every", "3"], RATE, failing),
         "silent": (BASELINE, 0, silent), "killed": (BASELINE, RATE, killed), "hunted": (BASELINE, RATE, hunted), "cancelled": (BASELINE, RATE, cancelled), "cancelled-first": (BASELINE, RATE, lambda lab, run: cancelled(lab, run, 25)),
         "cancelled-before": (BASELINE, RATE, lambda lab, run: cancelled(lab, run, 0))}


def one(kind):
    options, rate, check = KINDS[kind]
    lab, wrong = Lab(policy=POLICY), []
    try:
        lab.start()
        lab.publish("1.0.0", *BASELINE)
        lab.publish("1.1.0", *options)
        lab.order("1.0.0")
        load = lab.load(rate) if rate else None
        run = lab.server.submit(pipeline(lab))
        wrong += check(lab, run)
        if load and kind != "failing":
            wrong += check_load(load)
    except Exception as fault:  # noqa: BLE001 a test reports whatever happened
        wrong.append(f"{type(fault).__name__}: {fault}")
    finally:
        lab.end(keep=bool(wrong))
    return [f"{kind}: {line} (data kept in {lab.folder})" for line in wrong]


found = [line for kind in sys.argv[1:] for line in one(kind)]
print("\n".join(found))
sys.exit(1 if found else 0)
