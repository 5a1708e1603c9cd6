"""fault_same.py: one release with the core inside of the engine, one with the core as a program by itself; see same-events.flow, which runs it."""
import concurrent.futures
import difflib
import json
import os
import re
import sys

sys.path.insert(0, os.environ["ROOT"] + "/tests/support")
from lab import Lab  # noqa: E402

# What names a time, an id, or where a core is; in text of any member.
NAMES = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"unix:/[^\"\s]*|http://127\.0\.0\.1:\d+", "ADDRESS"),
    (r"/[^\"\s]*crescendo-lab-[^\"/\s]*", "FOLDER"),
]
TIMES = {"time_ms", "at_ms", "until_ms", "deadline_ms", "started_ms", "ended_ms", "duration_ms", "cpu_ms", "memory_bytes", "took_ms", "id", "chain", "pid"}


def plain(value):
    if isinstance(value, dict):
        return {name: "TIME OR ID" if name in TIMES else plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        for pattern, word in NAMES:
            value = re.sub(pattern, word, value)
    return value


def events_of(lab, run):
    """A line an event, in the journal's order."""
    text = lab.server.ask("GET", f"/v1/runs/{run}/events").decode()
    data = [json.loads(line.removeprefix("data:")) for line in text.splitlines() if line.startswith("data:")]
    return [json.dumps(plain(each), sort_keys=True) for each in data]


def release(separate):
    lab = Lab(separate_core=separate)
    try:
        lab.start()
        lab.publish("1.0.0")
        lab.publish("2.0.0")
        lab.order("1.0.0")
        run = lab.release("2.0.0", between="true")
        row = lab.wait(run)
        if row["state"] != "succeeded":
            raise RuntimeError(f"the release is {row['state']}: {json.dumps(row)[:3000]}")
        return events_of(lab, run)
    finally:
        lab.end()


with concurrent.futures.ThreadPoolExecutor() as pool:
    embedded, separate = pool.map(release, (False, True))
wrong = list(difflib.unified_diff(embedded, separate, "embedded", "by itself", lineterm="", n=0))
if not any('"effect_done"' in line for line in embedded):
    wrong.append("no event tells of an effect")
print("\n".join(wrong), f"\n{len(embedded)} events")
sys.exit(1 if wrong else 0)
