"""The side of a peer: a process that measures one framework at one setting, over and over, as it is told.

It reads one JSON object a line from stdin, {"model": ..., "seconds": ...}, and answers each with a line on stdout:
{"imagesPerSecond": ...} or {"error": ...}. The first line it prints is {"version": ...}.
"""

import json
import os
import sys
import time

BATCH = 128
BATCHES = 32
CLASSES = 10
WARM_UP_STEPS = 10


def make_batches(model, seed=1):
    """Random images [BATCHES][BATCH][channels][height][width] and labels, as float32 and int64 numpy arrays."""
    import numpy

    random = numpy.random.default_rng(seed)
    shape = model["input"]
    size = (BATCHES, BATCH, shape["channels"], shape["height"], shape["width"])
    images = random.standard_normal(size, dtype=numpy.float32)
    return images, random.integers(0, CLASSES, size=(BATCHES, BATCH))


def count_steps(step, seconds):
    """Runs `step(index)` for about so many seconds; returns steps per second."""
    began = time.perf_counter()
    steps = 0
    while True:
        step(steps % BATCHES)
        steps += 1
        elapsed = time.perf_counter() - began
        if elapsed >= seconds:
            return steps / elapsed


def serve(version, prepare):
    """Answers until stdin ends. `prepare(model)` returns a function that trains one batch, by its index."""
    # Whatever a framework prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(json.dumps({"version": version}), file=answers)
    steps = {}
    for line in sys.stdin:
        task = json.loads(line)
        name = task["model"]["name"]
        try:
            if name not in steps:
                steps[name] = prepare(task["model"])
                for index in range(WARM_UP_STEPS):
                    steps[name](index)
            rate = BATCH * count_steps(steps[name], task["seconds"])
            print(json.dumps({"imagesPerSecond": rate}), file=answers)
        except Exception as error:  # one model that a framework cannot do must not end the run
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers)
