"""How ImageFolder, image_dataset_from_directory, pandas.read_csv and Lockstep read the same data.

    python -m venv ~/lockstep-readers
    ~/lockstep-readers/bin/pip install -r tools/peers/readers-requirements.txt
    ~/lockstep-readers/bin/python tools/peers/readers.py

writes the tables between the marks in docs/formats.md. Each cell is what a reader gave: images, classes in order, form,
smallest and largest value; or what it said when it refused. PyTorch and TensorFlow cannot live in one process (both
bring an LLVM), so each reader has one of its own.
"""

import collections
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy
import pandas

import reader_inputs

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "formats.md"
LOCKSTEP = """
const { openDataset } = await import(process.argv[1]);
const { train, validation, test, channels, height, width, classNames, classes } = await openDataset(process.argv[2]);
const parts = [train, validation, test];
const labels = parts.flatMap((part) => [...part.labels]);
const pixels = parts.flatMap((part) => [...part.images]);
const names = classNames ?? Array.from({ length: classes }, (_, i) => String(i));
console.log(JSON.stringify({ form: [channels, height, width], names, labels, least: Math.min(...pixels), most: Math.max(...pixels) }));
"""


def describe(names, labels, forms, least, most):
    counts = collections.Counter(labels)
    listed = ", ".join(f"{name} {counts[i]}" for i, name in enumerate(names))
    form = " and ".join(sorted({"x".join(map(str, form)) for form in forms}))
    return f"{len(labels)}: {listed}; {form}; {least:g} to {most:g}"


def refusal(error):
    """The first sentence of what a reader said, without paths."""
    said = re.sub(r"\s+", " ", str(error)).strip()
    said = re.sub(r".*Iterator::\S+: ", "", said)  # TensorFlow says first where it was
    text = re.sub(r"[^\s']*/(\w+/[^\s/]+)", r"\1", said).replace("inputs/", "")
    return f"refuses: {text.split('. ')[0][:110]}".replace("|", "\\|")


def read_torchvision(path):
    from torchvision.datasets import ImageFolder

    data = ImageFolder(path)
    images = [numpy.asarray(image) for image, _ in data]
    forms = [(image.shape[2], *image.shape[:2]) for image in images]
    return describe(
        data.classes, data.targets, forms, min(i.min() for i in images), max(i.max() for i in images)
    )


def read_keras(path):
    import keras

    data = keras.utils.image_dataset_from_directory(path, batch_size=None, shuffle=False, verbose=False)
    names = data.class_names
    images, labels = zip(*((image.numpy(), int(label)) for image, label in data))
    forms = [(image.shape[2], *image.shape[:2]) for image in images]
    return describe(names, labels, forms, min(i.min() for i in images), max(i.max() for i in images))


def read_pandas(path):
    """As most programs do: the column `label`, else the first, and all others are pixels."""
    frame = pandas.read_csv(path)
    at = "label" if "label" in frame else frame.columns[0]
    labels, pixels = frame[at], frame.drop(columns=at)
    codes, names = pandas.factorize(labels, sort=True, use_na_sentinel=False)
    if len(names) > 4:
        names_text = f"{len(names)} classes"
    else:
        counts = collections.Counter(codes)
        names_text = ", ".join(f"{name} {counts[i]}" for i, name in enumerate(names))
    lost = f", {int(pixels.isna().sum().sum())} NaN" if pixels.isna().any().any() else ""
    return f"{len(frame)}: {names_text}; {pixels.shape[1]} columns; {pixels.min().min():g} to {pixels.max().max():g}{lost}"


def run_node(*arguments):
    environment = {**os.environ, "LOCKSTEP_OFFLINE": "1"}
    return subprocess.run(["node", *arguments], capture_output=True, text=True, env=environment, cwd=REPOSITORY)


def read_lockstep(path):
    report = run_node("tools/lockstep.mjs", "data", str(path), "--json")
    if report.returncode != 0:
        return refusal(re.sub(r"^lockstep: LOCKSTEP_\w+: ", "", report.stderr.strip().splitlines()[-1]))
    library = (REPOSITORY / "packages/cli/dist/index.js").as_uri()
    read = run_node("--input-type=module", "-e", LOCKSTEP, library, str(path))
    data = json.loads(read.stdout)
    form = data["form"] if path.is_dir() else [f"{numpy.prod(data['form'])} columns"]
    cell = describe(data["names"], data["labels"], [form], data["least"], data["most"])
    kinds = {"guessed", "left-out", "warning"}
    notes = [note for note in json.loads(report.stdout)["notes"] if note["kind"] in kinds]
    return cell + (f"; told in {len(notes)} line{'s' if len(notes) > 1 else ''}" if notes else "")


def attempt(read, path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(path)
    except Exception as error:  # whatever a reader says is its answer
        return refusal(error)


READERS = {"torchvision": read_torchvision, "keras": read_keras, "pandas": read_pandas, "lockstep": read_lockstep}


def read_all(reader, paths):
    """What a reader makes of each path, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, reader, *map(str, paths)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def tabulate(headings, cases, paths, readers):
    columns = [read_all(reader, [paths[name] for name in cases]) for reader in readers]
    rows = [[name, *cells, why] for (name, (_, why)), *cells in zip(cases.items(), *columns)]
    lines = [f"| {' | '.join(row)} |" for row in [headings, *rows]]
    return "\n".join([lines[0], f"|{'---|' * len(headings)}", *lines[1:]])


def draw_tables():
    folder_head = ["folder", "ImageFolder", "image_dataset_from_directory", "Lockstep", "why"]
    table_head = ["table", "pandas.read_csv, label or first column", "Lockstep", "why"]
    with tempfile.TemporaryDirectory() as folder:
        paths = reader_inputs.make(pathlib.Path(folder) / "inputs")
        folders = tabulate(folder_head, reader_inputs.FOLDERS, paths, ["torchvision", "keras", "lockstep"])
        tables = tabulate(table_head, reader_inputs.TABLES, paths, ["pandas", "lockstep"])
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ["torchvision", "keras", "pandas"])
    start, end = "<!-- readers: drawn by tools/peers/readers.py -->", "<!-- /readers -->"
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(start)
    _, after = rest.split(end)
    drawn = f"{versions}, each with its defaults:\n\n{folders}\n\n{tables}"
    DOCUMENT.write_text(f"{before}{start}\n\n{drawn}\n\n{end}{after}", encoding="utf-8")


if len(sys.argv) > 1:
    reader = READERS[sys.argv[1]]
    print(json.dumps([attempt(reader, pathlib.Path(path)) for path in sys.argv[2:]]))
else:
    draw_tables()
