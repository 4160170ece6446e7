"""PyTorch as a peer: python peer_torch.py THREADS (nchw | channels_last | compile)."""

import sys

import torch
from torch import nn

import peer


def build_layer(layer):
    kind, channels = layer["type"], layer["input"]["channels"]
    if kind == "conv":
        return nn.Conv2d(
            channels,
            layer["outChannels"],
            layer["kernel"],
            stride=layer["stride"],
            padding=layer["padding"],
            groups=layer["groups"],
            bias=layer["bias"],
        )
    if kind == "batchNorm":
        return nn.BatchNorm1d(channels) if layer["isFlat"] else nn.BatchNorm2d(channels)
    if kind == "relu":
        return nn.ReLU(inplace=True)
    if kind in ("maxPool", "avgPool"):
        pool = nn.MaxPool2d if kind == "maxPool" else nn.AvgPool2d
        return pool(layer["kernel"], stride=layer.get("stride"))
    if kind == "globalAvgPool":
        return nn.AdaptiveAvgPool2d(1)
    if kind == "dropout":
        return nn.Dropout(layer["p"])
    if kind == "flatten":
        return nn.Flatten()
    if kind == "linear":
        return nn.Linear(channels, layer["outFeatures"], bias=layer["bias"])
    raise ValueError(f"no PyTorch layer for {kind}")


def build_network(model):
    """The network up to its logits; a log-softmax at the end belongs to the loss."""
    layers = [build_layer(layer) for layer in model["layers"] if layer["type"] != "logSoftmax"]
    return nn.Sequential(*layers, nn.Flatten())


def prepare(model, variant):
    images, labels = peer.make_batches(model)
    layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
    batches = [torch.from_numpy(batch).to(memory_format=layout) for batch in images]
    targets = [torch.from_numpy(batch) for batch in labels]
    network = build_network(model).to(memory_format=layout).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    run = torch.compile(network) if variant == "compile" else network

    def step(index):
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(run(batches[index]), targets[index]).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    threads, chosen = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    peer.serve(f"PyTorch {torch.__version__}", lambda model: prepare(model, chosen))
