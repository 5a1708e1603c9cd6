"""fault_kpi.py: canaries under real requests, each with its verdict; see kpi-*.flow, which run it with the names of canaries."""
import concurrent.futures
import os
import random
import sys
import time

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from canary import (BASELINE, POLICY, check_counts, check_end, check_load, check_record, checkpoints, events, lines, pipeline,  # noqa: E402
                    ticks, until)
from lab import Lab  # noqa: E402

RATE = 400
NEVER = ("--timeout-ms", "60000", "--connections", "4000")
FAIL = ("failing", "hanging", "mute", "patient")  # their requests do

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


def harm_by(lab, run, kpi, words):
    wrong = check_end(lab, run, "rolled_back", "kpi_harm", "1.0.0") + check_record(lab, run, "harm")
    verdict = checkpoints(lab, run)[-1].get("verdict", {})
    if verdict.get("kpi") not in kpi or words not in verdict.get("words", ""):
        wrong.append(f"harm was shown by {verdict.get('kpi')}: {verdict.get('words')}")
    return wrong


def hanging(lab, run):
    """One request in five is never answered, and its client gives up."""
    return harm_by(lab, run, ("errors", "latency"), "")


def mute(lab, run):
    """No request is answered, and no client gives up."""
    until("harm", lambda: "harm: " in lab.say("logs", str(run)))
    lab.loads[-1].process.kill()  # else its instance is waited for
    return harm_by(lab, run, ("open",), "1.1.0 answered none of its requests for ")


def patient(lab, run):
    """One request in five is never answered, and no client gives up: the share is held, for as long as nobody knows more."""
    until("a tick that is held", lambda: [line for line in lines(lab, run) if "requests to 1.1.0 are not answered yet" in line])
    held = len(lines(lab, run))
    until("8 more ticks", lambda: len(lines(lab, run)) >= held + 8)
    told = lab.say("explain", str(run))
    lab.say("cancel", str(run))
    lab.loads[-1].process.kill()
    wrong = check_end(lab, run, "rolled_back", "operator", "1.0.0") + check_record(lab, run, None)
    if {tick["share"] for tick in ticks(lab, run)} != {25}:
        wrong.append("its share rose")
    if "held: requests to it are not answered" not in told:
        wrong.append(f"explain does not say why it is held: {told}")
    return wrong


def exiting(lab, run):
    """It answers well, and stops by itself again and again."""
    return harm_by(lab, run, ("restarts",), "1.1.0 stopped by itself 2 times: exited with code 3; its last output: ")


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
    if "was changed since this run was planned" not in (told := lab.say("explain", str(run))):
        wrong.append(f"the explanation does not say that the policy was changed: {told}")
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


def sparse(lab, run):
    """So few requests that only one of the two versions has any at a time: nothing is compared, and it is never promoted."""
    wrong = check_end(lab, run, "rolled_back", "no_data", "1.0.0") + check_record(lab, run, "no_data")
    if not any(tick["because"] == "one_arm" for tick in ticks(lab, run)):
        wrong.append("no tick had requests of one version only")
    return wrong


KINDS = {"good": (BASELINE, RATE, good), "slow": (["--delay-ms", "12"], RATE, slow), "failing": (["--fail-every", "3"], RATE, failing),
         "hanging": ([*BASELINE, "--hang-every", "5"], RATE, hanging, "--timeout-ms", "500"), "mute": (["--hang-every", "1"], RATE, mute, *NEVER),
         "patient": ([*BASELINE, "--hang-every", "5"], RATE, patient, *NEVER),
         "exiting": ([*BASELINE, "--exit-after-ms", "1500"], RATE, exiting), "silent": (BASELINE, 0, silent), "sparse": (BASELINE, 2, sparse),
         "killed": (BASELINE, RATE, killed), "hunted": (BASELINE, RATE, hunted)}


def one(kind):
    options, rate, check, *more = KINDS[kind]
    lab, wrong = Lab(policy=POLICY), []
    try:
        lab.start()
        lab.publish("1.0.0", *BASELINE)
        lab.publish("1.1.0", *options)
        lab.order("1.0.0")
        load = lab.load(rate, *more) if rate else None
        run = lab.server.submit(pipeline(lab))
        wrong += check(lab, run) + check_counts(lab, run)
        if load and kind not in FAIL:
            wrong += check_load(load)
    except Exception as fault:  # noqa: BLE001 a test reports whatever happened
        wrong.append(f"{type(fault).__name__}: {fault}")
    finally:
        lab.end(keep=bool(wrong))
    return [f"{kind}: {line} (data kept in {lab.folder})" for line in wrong]


with concurrent.futures.ThreadPoolExecutor() as pool:
    found = [line for wrong in pool.map(one, sys.argv[1:]) for line in wrong]
print("\n".join(found))
sys.exit(1 if found else 0)
