"""canary.py: what is on record of a canary, and what must be true of each, whatever was done to it; over lab.py."""
import json
import subprocess
import time

from server import BUILD


POLICY = """  share: [25%, 50%]
  every: 250ms
  budget: { false-rollback: 1%, shortest: 1s, longest: 60s, warm-up: 200ms }
  kpis:
    - { kpi: latency, tolerate: 20%, clear: 80%, on-no-data: { hold: 2s, then: rollback } }
    - { kpi: errors, negligible: 5%, on-no-data: { hold: 2s, then: rollback } }
"""
BASELINE = ["--delay-ms", "5"]
SLACK_MS = 2000  # so late may a record be
READ_MS = 100  # so long may a tick take from its time to the domain's answer, which has what came meanwhile


def pipeline(lab, retry=False, between=""):
    """between: a command that is run behind the verdict, before the promotion."""
    pause = f"      - {{ id: pause, run: {json.dumps(between)} }}\n" if between else ""
    again = "\n        retry: { times: 9, on: [worker_lost] }" if retry else ""
    return f"""
stages:
  - stage: release
    checkout: none
    steps:
      - id: order
        order: {{ domain: lab, offering: "{lab.offerings['1.1.0']}" }}{again}
      - id: judge
        kpi: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}{again}
{pause}      - id: promote
        promote: {{ domain: lab, service: "${{{{ steps.order.service }}}}" }}{again}
"""


def events(lab, run):
    """All that is on record of a run that is over."""
    lines = lab.server.ask("GET", f"/v1/runs/{run}/events").decode().splitlines()
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


def check_counts(lab, run, version="1.1.0"):
    """No request is in two ticks, and none that was there at the last one is in no tick: by the domain's own records, which have a request from when
    it arrived, and where nobody answers and no client gives up not before the end."""
    lines_now = lab.raw(f"/telemetry/v1/samples?domain=lab&version={version}&limit=100000").decode().splitlines()
    samples = [sample for sample in map(json.loads, lines_now) if "time" in sample and "gap" not in sample]
    judged, fed = ticks(lab, run), sum(tick["canary"] for tick in ticks(lab, run))
    last_ms = judged[-1]["at"] if judged else 0
    most = sum(sample["time"] / 1000 <= last_ms + READ_MS for sample in samples)
    least = sum(sample["time"] / 1000 <= last_ms - SLACK_MS and sample.get("status", 0) != 0 for sample in samples)
    return [] if least <= fed <= most else [f"the ticks have {fed} requests of the canary; {least} were recorded well before the last, {most} before it"]


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
