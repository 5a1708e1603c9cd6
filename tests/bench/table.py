"""table.py: rows of figures, their percentiles, and what a process has needed."""
import os
import pathlib
import statistics

ROWS = []


def row(what, value, against=""):
    ROWS.append(what)
    print(f"{what:62} {value:>26}  {against}", flush=True)


def end():
    """The last line, with how busy the machine was meanwhile."""
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"bench: {len(ROWS)} rows")


def p50_p99(values):
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def spread(values, unit="ms", digits=1):
    middle, late = p50_p99(values)
    return f"p50 {middle:.{digits}f} {unit}, p99 {late:.{digits}f} {unit}"


def memory_mib(pid, field):
    """VmHWM, VmRSS or RssAnon of a process; 0 where it is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    found = [line for line in lines if line.startswith(field + ":")]
    return int(found[0].split()[1]) / 1024 if found else 0


def processor_ms(pid):
    """What all threads of a process have computed for."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e6
