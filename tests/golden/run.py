#!/usr/bin/env python3
"""Golden tests: what `crescendo lint` and `crescendo plan` print for a file, byte for byte.

lint/NAME/    crescendo.yaml (and pipelines/), expected.txt: output, then the line `exit: N`
plan/NAME/    crescendo.yaml, plan.txt, plan.json, plan.dot: whichever exist are compared
simulate/NAME/  args: what `crescendo simulate` is told; expected.txt: output, then the line `exit: N`
reference/    docs/reference/pipeline.md, service.md, domain.md, commands.md and pipeline.schema.json are up to date
`args` beside a file: further arguments, one a line. --update rewrites what is expected. BUILD is the build folder.
"""
import difflib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
CRESCENDO = (BUILD if BUILD.is_absolute() else ROOT / BUILD) / "crescendo"
PLAN_FORMATS = {"plan.txt": "text", "plan.json": "json", "plan.dot": "dot"}


def crescendo(folder, *arguments):
    """Runs the program in folder; its output with the exit code behind it."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "ASAN_OPTIONS") if key in os.environ}
    done = subprocess.run([CRESCENDO, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    text = done.stdout.decode("utf-8", "backslashreplace")
    problems = done.stderr.decode("utf-8", "backslashreplace")
    return text, problems, done.returncode


def extra_arguments(folder):
    path = folder / "args"
    return path.read_text().splitlines() if path.exists() else []


def case_lint(folder):
    text, problems, code = crescendo(folder, "lint", *extra_arguments(folder))
    yield folder / "expected.txt", f"{text}{problems}exit: {code}\n"


def case_plan(folder):
    for name, form in PLAN_FORMATS.items():
        if (folder / name).exists() or (name == "plan.txt" and not any((folder / other).exists() for other in PLAN_FORMATS)):
            text, problems, code = crescendo(folder, "plan", "--format", form, *extra_arguments(folder))
            yield folder / name, text + problems + (f"exit: {code}\n" if code else "")


def case_simulate(folder):
    text, problems, code = crescendo(folder, "simulate", *extra_arguments(folder))
    yield folder / "expected.txt", f"{text}{problems}exit: {code}\n"


def case_reference(path, *options):
    text, problems, code = crescendo(ROOT, "lint", *options)
    yield path, text + problems + (f"exit: {code}\n" if code else "")


def case_help(path):
    text, problems, code = crescendo(ROOT, "help", "--markdown")
    yield path, text + problems + (f"exit: {code}\n" if code else "")


def cases():
    for kind, make in (("lint", case_lint), ("plan", case_plan), ("simulate", case_simulate)):
        for folder in sorted((HERE / kind).glob("*/")):
            if (folder / "crescendo.yaml").exists() or (folder / "args").exists():
                yield f"{kind}/{folder.name}", make(folder)
    reference = ROOT / "docs" / "reference"
    yield "reference/page", case_reference(reference / "pipeline.md", "--reference")
    yield "reference/schema", case_reference(reference / "pipeline.schema.json", "--schema")
    yield "reference/commands", case_help(reference / "commands.md")
    for name in ("service", "domain"):
        yield f"reference/{name}", case_reference(reference / f"{name}.md", "--reference", name)


def difference(path, got):
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    if expected == got:
        return ""
    lines = difflib.unified_diff(expected.splitlines(), got.splitlines(), str(path.relative_to(ROOT)), "what it printed", lineterm="")
    return "\n".join(lines) or "(only the line break at the end differs)"


def check(name, results, update):
    """One case: prints its line, and what differs. True when it passed."""
    differences = []
    for path, got in results:
        if update:
            path.write_text(got, encoding="utf-8")
        differences.append(difference(path, got))
    wrong = [text for text in differences if text]
    print(f"{'not ok' if wrong else 'ok'} {name}")
    for text in wrong:
        print(text)
    return not wrong


def main():
    update = "--update" in sys.argv[1:]
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    passed = failed = skipped = 0
    if not CRESCENDO.exists():
        print(f"not ok golden: there is no {CRESCENDO}; run make first")
        print("golden: 0 passed, 1 failed, 0 skipped")
        return 1
    for name, results in cases():
        if wanted and not any(word in name for word in wanted):
            skipped += 1
        elif check(name, results, update):
            passed += 1
        else:
            failed += 1
    print(f"golden: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
