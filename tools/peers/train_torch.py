"""Trains a network in PyTorch under a Lockstep recipe: what Lockstep's accuracy and time are compared with.

It reads one JSON object from stdin: {"model": as zoo.mjs describes it, "recipe", "seed", "threads", "data": a folder with
MNIST's IDX files, "evaluate": "epochs" or "end", "device": "cpu" or "cuda"}; and prints JSON lines: an epoch each, then the end. Batch norm takes
the statistics of whole batches, and random numbers are PyTorch's; all else is as the recipe says.
"""

import gzip
import json
import math
import sys
import time
from pathlib import Path

import torch
from torch import nn

from peer_torch import build_network

MEAN, STD = 0.1307, 0.3081
EVALUATION_BATCH = 1000


def read_idx(folder, stem):
    """The values behind the header of an IDX file, packed or not, as a uint8 tensor of its shape."""
    for name in (stem, f"{stem}.gz"):
        path = Path(folder) / name
        if path.exists():
            data = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
            sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
            return torch.frombuffer(bytearray(data[4 + 4 * data[3] :]), dtype=torch.uint8).reshape(sizes)
    sys.exit(f"{folder} has no {stem}, packed or not")


def make_optimizer(parameters, recipe):
    optimizer, rate = dict(recipe["optimizer"]), recipe["learningRate"]
    kind, decay = optimizer["type"], optimizer["weightDecay"]
    if kind == "sgd":
        return torch.optim.SGD(
            parameters, lr=rate, momentum=optimizer["momentum"], nesterov=optimizer["nesterov"], weight_decay=decay
        )
    classes = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return classes[kind](
        parameters, lr=rate, betas=tuple(optimizer["betas"]), eps=optimizer["eps"], weight_decay=decay, fused=True
    )


def make_schedule(optimizer, recipe, steps_per_epoch):
    """A scheduler to be stepped after every step."""
    schedule, steps = recipe["schedule"], recipe["epochs"] * steps_per_epoch
    if schedule["type"] == "constant":
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    if schedule["type"] == "step":
        every, gamma = schedule["every"] * steps_per_epoch, schedule["gamma"]
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: gamma ** (step // every))
    if schedule["type"] == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, schedule["minimum"])
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        recipe["learningRate"],
        total_steps=steps,
        pct_start=schedule["rise"],
        div_factor=schedule["divFactor"],
        final_div_factor=schedule["finalDivFactor"],
        anneal_strategy={"cosine": "cos", "linear": "linear"}[schedule["anneal"]],
        cycle_momentum=False,
    )


def augment(images, augmentation):
    """Each image turned, zoomed and shifted by its own random numbers; zeros come from outside. Values 0 to 1."""
    count, _, height, width = images.shape
    rotation, scale, shift = (augmentation[name] for name in ("rotation", "scale", "shift"))
    crop = augmentation.get("centerCrop")
    if not (rotation or scale or shift or crop):
        return images
    angle = (2 * torch.rand(count) - 1) * math.radians(rotation)
    zoom = 1 + (2 * torch.rand(count) - 1) * scale
    if crop:
        zoom[torch.rand(count) < crop["probability"]] *= width / crop["size"]
    moves = [torch.randint(-shift, shift + 1, (count,)) * 2 / side for side in (width, height)]
    cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    rows = [
        torch.stack([cosine, sine, -(cosine * moves[0] + sine * moves[1])], 1),
        torch.stack([-sine, cosine, -(cosine * moves[1] - sine * moves[0])], 1),
    ]
    grid = nn.functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False)


def prepare(images):
    return ((images - MEAN) / STD).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def count_correct(network, images, labels):
    network.eval()
    correct = 0
    for first in range(0, len(labels), EVALUATION_BATCH):
        batch = prepare(images[first : first + EVALUATION_BATCH].unsqueeze(1) / 255)
        correct += (network(batch).argmax(1) == labels[first : first + EVALUATION_BATCH]).sum().item()
    network.train()
    return correct


def train(task):
    recipe, model = task["recipe"], task["model"]
    unknown = [name for name in ("clipNorm", "ema", "freeze") if recipe.get(name) is not None]
    if unknown or recipe.get("warmupSteps"):
        sys.exit(f"not done here: {', '.join(unknown) or 'warmupSteps'}")
    torch.manual_seed(task["seed"])
    torch.set_num_threads(task["threads"])
    torch.set_default_device(task["device"])
    # Float32 on every device: what the two devices differ in is the order of additions alone.
    torch.backends.cudnn.allow_tf32 = False
    images, labels, test_images, test_labels = (
        read_idx(task["data"], stem).to(task["device"])
        for stem in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    )
    labels, test_labels = labels.long(), test_labels.long()
    for layer in model["layers"]:
        if layer["type"] == "dropout" and recipe.get("dropout") is not None:
            layer["p"] = recipe["dropout"]
    network = build_network(model).to(memory_format=torch.channels_last).train()
    batch_size = recipe["batchSize"]
    steps = math.ceil(len(labels) / batch_size)
    optimizer = make_optimizer(network.parameters(), recipe)
    schedule = make_schedule(optimizer, recipe, steps)
    smoothing = recipe.get("labelSmoothing") or 0.0
    for epoch in range(recipe["epochs"]):
        began = time.perf_counter()
        shuffled = torch.randperm(len(labels))
        for step in range(steps):
            chosen = shuffled[step * batch_size : (step + 1) * batch_size]
            batch = prepare(augment(images[chosen].unsqueeze(1) / 255, recipe["augmentation"]))
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(network(batch), labels[chosen], label_smoothing=smoothing)
            loss.backward()
            optimizer.step()
            if step + 1 < steps or epoch + 1 < recipe["epochs"]:
                schedule.step()
        seconds = time.perf_counter() - began
        if task["evaluate"] == "epochs":
            correct = count_correct(network, test_images, test_labels)
            told = {"testCorrect": correct, "lastLoss": loss.item(), "seconds": seconds}
            print(json.dumps({"event": "epoch", "epoch": epoch + 1, **told}), flush=True)
    correct = count_correct(network, test_images, test_labels)
    print(json.dumps({"event": "end", "testCorrect": correct, "testTotal": len(test_labels), "torch": torch.__version__}))


if __name__ == "__main__":
    train(json.load(sys.stdin))
