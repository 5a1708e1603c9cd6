"""graphs.py: the same graph of steps for crescendo, ninja and make.

A graph is a list of stages, each a pair: the numbers of the stages that it needs, and how many steps it has, one after another. Each step runs the same
command by the same shell everywhere. A step of ours is what an edge is to ninja and a target to make."""
import random


def wide(stages, steps):
    """Nobody waits for anybody, but a stage's steps for one another."""
    return [([], steps) for _ in range(stages)]


def layered(layers, width, seed=6):
    """Each stage of a layer needs one to three of the layer before it."""
    draw, stages = random.Random(seed), []
    for layer in range(layers):
        for _ in range(width):
            before = draw.sample(range((layer - 1) * width, layer * width), draw.randint(1, min(3, width))) if layer else []
            stages.append((sorted(before), 1))
    return stages


def step_count(graph):
    return sum(steps for _, steps in graph)


def pipeline(graph, command="true", first=0):
    lines = ["sandbox: none", "stages:"]
    for number, (needs, steps) in enumerate(graph, first):
        lines += [f"- stage: s{number}", f"  needs: [{', '.join(f's{each}' for each in needs)}]", "  checkout: none", "  steps:"]
        lines += [f"  - run: {command}"] * steps
    return "\n".join(lines) + "\n"


def targets(graph):
    """Names of steps with the names that they wait for."""
    last = [f"s{number}.{steps - 1}" for number, (_, steps) in enumerate(graph)]
    for number, (needs, steps) in enumerate(graph):
        yield f"s{number}.0", [last[each] for each in needs]
        for step in range(1, steps):
            yield f"s{number}.{step}", [f"s{number}.{step - 1}"]


def ninja(graph, command="true"):
    return f"rule run\n  command = {command}\n" + "".join(f"build {name}: run {' '.join(before)}\n" for name, before in targets(graph))


def makefile(graph, command="true"):
    """`;` makes it ask the shell, as the others do, where it would run a plain program by itself."""
    edges = list(targets(graph))
    return "all: " + " ".join(name for name, _ in edges) + "\n" + "".join(
        f"{name}: {' '.join(before)}\n\t@{command};\n" for name, before in edges)
