#!/usr/bin/env python3
"""Measures Lockstep beside PyTorch and Keras: the same networks, the same step, in turns, in one run. See README.md."""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
#: Settings of each framework: always, and with --compile.
VARIANTS = {"torch": (["channels_last"], ["compile"]), "keras": (["function"], ["jit"])}
MODULES = {"torch": ["torch"], "keras": ["keras", "tensorflow"]}
#: What a peer's threads may go on spinning for after its turn.
PAUSE_SECONDS = 0.3
#: Large arrays from the heap: spares PyTorch a page fault per page and step.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}


class Peer:
    """One framework at one setting and number of threads, in a process that lives for the whole run."""

    def __init__(self, framework, variant, threads):
        self.name, self.threads = f"{framework} {variant}", threads
        env = {**os.environ, **MALLOC, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        command = [sys.executable, str(HERE / f"peer_{framework}.py"), str(threads), variant]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
        )
        self.version = self._read()["version"]

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def measure(self, model, seconds):
        self.process.stdin.write(json.dumps({"model": model, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        return self._read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run_node(*arguments):
    done = subprocess.run(["node", *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def measure_lockstep(model, options):
    arguments = ["--json", "--models", model, "--workers", ",".join(map(str, options.threads))]
    arguments += ["--seconds", str(options.seconds), "--repetitions", "1"]
    if options.data:
        arguments += ["--data", str(Path(options.data).resolve())]
    return run_node("packages/cli/dist/bin.js", "bench", *arguments)


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def compare_model(model, peers, options):
    """Rounds of Lockstep and every peer in turn; a peer's first answer is dropped, like Lockstep's own warm-up."""
    lockstep = {threads: [] for threads in options.threads}
    shares = {threads: [] for threads in options.threads}
    rates = {(peer.name, peer.threads): [] for peer in peers}
    errors, report = {}, None
    for round_number in range(options.repetitions):
        report = measure_lockstep(model["name"], options)
        for figure in report["models"][0]["figures"]:
            lockstep[figure["workers"]].append(figure["training"]["imagesPerSecond"]["median"])
            shares[figure["workers"]].append(figure["training"]["shareOfPeak"])
        for peer in peers:
            key = (peer.name, peer.threads)
            if key in errors:
                continue
            if round_number == 0:
                peer.measure(model, options.seconds / 4)
            answer = peer.measure(model, options.seconds)
            if "error" in answer:
                errors[key] = answer["error"]
            else:
                rates[key].append(answer["imagesPerSecond"])
            time.sleep(PAUSE_SECONDS)
        print(f"{model['name']}: round {round_number + 1} of {options.repetitions}", file=sys.stderr, flush=True)
    rows = []
    for threads in options.threads:
        own = spread(lockstep[threads])
        beside = []
        for (name, count), values in rates.items():
            if count == threads and values:
                rate = spread(values)
                beside.append({"peer": name, "imagesPerSecond": rate, "ratio": own["median"] / rate["median"]})
            elif count == threads:
                beside.append({"peer": name, "error": errors.get((name, count), "not measured")})
        measured = [peer for peer in beside if "ratio" in peer]
        best = max(measured, key=lambda peer: peer["imagesPerSecond"]["median"], default=None)
        share = statistics.median(shares[threads])
        row = {"threads": threads, "lockstep": own, "shareOfPeak": share, "peers": beside}
        rows.append({**row, "best": best["peer"], "ratioToBest": best["ratio"]} if best else row)
    return {"model": model["name"], "rows": rows}, report


def format_table(models):
    lines = [f"{'Model':<8} {'Threads':>7}  {'Setting':<20} {'Images/s':>10}  {'(min-max)':<19} {'Lockstep is':>11}"]
    for model in models:
        for row in model["rows"]:
            entries = [{"peer": "lockstep", "imagesPerSecond": row["lockstep"]}, *row["peers"]]
            for entry in entries:
                start = f"{model['model']:<8} {row['threads']:>7}  {entry['peer']:<20}"
                if "error" in entry:
                    lines.append(f"{start} {entry['error'][:60]}")
                    continue
                rate = entry["imagesPerSecond"]
                between = f"({rate['min']:,.0f}-{rate['max']:,.0f})"
                ratio = f"{entry['ratio']:.1f}x" if "ratio" in entry else ""
                lines.append(f"{start} {rate['median']:>10,.0f}  {between:<19} {ratio:>11}".rstrip())
    return "\n".join(lines)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", help="names with commas between them (default: the whole zoo)")
    parser.add_argument("--threads", default="1,2", help="worker and thread counts (default: 1,2)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each measurement (default: 2)")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds to take the median of (default: 5)")
    parser.add_argument("--peers", default="torch,keras", help="frameworks, if installed (default: torch,keras)")
    parser.add_argument("--compile", action="store_true", help="torch.compile and XLA too: minutes of compiling")
    parser.add_argument("--data", help="folder with MNIST, for Lockstep (peers use random images)")
    parser.add_argument("--json", metavar="FILE", help="write the figures here as well")
    options = parser.parse_args()
    options.threads = [int(count) for count in options.threads.split(",")]
    return options


def start_peers(options):
    peers = []
    for framework in options.peers.split(","):
        missing = [module for module in MODULES[framework] if importlib.util.find_spec(module) is None]
        if missing:
            print(f"{framework} is left out: {', '.join(missing)} is not installed", file=sys.stderr)
            continue
        always, compiled = VARIANTS[framework]
        for variant in always + (compiled if options.compile else []):
            peers += [Peer(framework, variant, threads) for threads in options.threads]
    return peers


def main():
    options = read_options()
    subprocess.run(["node", "tools/bootstrap.mjs"], cwd=ROOT, check=True, stdout=sys.stderr)
    zoo = run_node("tools/peers/zoo.mjs")
    names = options.models.split(",") if options.models else [model["name"] for model in zoo]
    unknown = set(names) - {model["name"] for model in zoo}
    if unknown:
        sys.exit(f"no model is called {', '.join(unknown)}; the zoo has {', '.join(m['name'] for m in zoo)}")
    peers = start_peers(options)
    models, report = [], None
    try:
        for name in names:
            figures, report = compare_model(next(model for model in zoo if model["name"] == name), peers, options)
            models.append(figures)
    finally:
        for peer in peers:
            peer.close()
    about = {key: report[key] for key in ("machine", "date", "commit", "batchSize") if key in report}
    versions = sorted({peer.version for peer in peers})
    result = {"bench": "peers", **about, "versions": versions, "seconds": options.seconds}
    result |= {"repetitions": options.repetitions, "models": models}
    if options.json:
        Path(options.json).write_text(json.dumps(result) + "\n")
    print(f"{about['machine']['processor']}, {about['date'][:10]}; {'; '.join(versions)}\n")
    print(format_table(models))


if __name__ == "__main__":
    main()
