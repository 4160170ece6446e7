"""Checks a file that `lockstep train --save` wrote, in PyTorch: the same nn.Sequential must give the same test accuracy.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy safetensors
    lockstep train net19k --epochs 1 --data DIR --save net19k.safetensors
    /tmp/torch/bin/python tools/check-pytorch.py net19k net19k.safetensors DIR

Needs Python with torch, numpy and safetensors; not part of `npm test`. The modules are written out here, from the
networks' documents, not made from Lockstep's model specs, so that names, shapes and layouts are checked as well.
"""
import gzip
import os
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn


def block19(cin, cout, padding, pool=False):
    layers = [nn.Conv2d(cin, cout, 3, padding=padding), nn.BatchNorm2d(cout), nn.ReLU()]
    return layers + ([nn.MaxPool2d(2)] if pool else []) + [nn.Dropout(0.1)]


def net19k():
    return nn.Sequential(
        *block19(1, 10, 1), *block19(10, 20, 1, True), *block19(20, 10, 1), *block19(10, 10, 1, True),
        *block19(10, 10, 0), *block19(10, 10, 0), *block19(10, 120, 0),
        nn.Flatten(), nn.Linear(120, 10), nn.LogSoftmax(1),
    )


def block6(*convs):
    return [*convs, nn.ReLU(), nn.BatchNorm2d(convs[-1].out_channels), nn.Dropout(0.05)]


def full(cin, cout, padding=0):
    return nn.Conv2d(cin, cout, 3, padding=padding, bias=False)


def depthwise(channels):
    return nn.Conv2d(channels, channels, 3, groups=channels, bias=False)


def pointwise(cin, cout):
    return nn.Conv2d(cin, cout, 1, bias=False)


def tiny6k():
    return nn.Sequential(
        *block6(full(1, 8)), *block6(full(8, 8)), *block6(depthwise(8), pointwise(8, 16)),
        *block6(depthwise(16), pointwise(16, 16)), nn.MaxPool2d(2), *block6(pointwise(16, 8)), *block6(full(8, 16)),
        *block6(full(16, 16, 1)), *block6(depthwise(16), pointwise(16, 32)), *block6(depthwise(32), pointwise(32, 10)),
        nn.AvgPool2d(4), pointwise(10, 10), nn.Flatten(), nn.LogSoftmax(1),
    )


def cnn11m():
    """Two nested Sequentials with a functional flatten between them."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            conv, relu = nn.Conv2d, nn.ReLU
            self.features = nn.Sequential(
                conv(1, 32, 5, padding=1), relu(), conv(32, 64, 3, padding=1), relu(), nn.MaxPool2d(2),
                conv(64, 96, 3, padding=1), relu(), conv(96, 64, 3, padding=1), relu(),
                conv(64, 32, 3, padding=1), relu(), conv(32, 32, 3, padding=1), relu(), nn.MaxPool2d(2, 1),
            )
            self.classifier = nn.Sequential(
                nn.Dropout(0.5), nn.Linear(4608, 2048), relu(), nn.Dropout(0.5), nn.Linear(2048, 1024), relu(),
                nn.Linear(1024, 10),
            )

        def forward(self, x):
            return torch.log_softmax(self.classifier(self.features(x).flatten(1)), 1)

    return Net()


def read_idx(folder, name):
    path = os.path.join(folder, name)
    data = open(path, "rb").read() if os.path.exists(path) else gzip.open(path + ".gz", "rb").read()
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def main(model, weights, folder):
    network = {"net19k": net19k, "tiny6k": tiny6k, "cnn11m": cnn11m}[model]()
    network.load_state_dict(load_file(weights), strict=True)
    network.eval()
    images = torch.from_numpy(read_idx(folder, "t10k-images-idx3-ubyte").copy()).float().unsqueeze(1)
    labels = torch.from_numpy(read_idx(folder, "t10k-labels-idx1-ubyte").copy()).long()
    with torch.no_grad():
        logs = torch.cat([network((part / 255 - 0.1307) / 0.3081) for part in images.split(1000)])
    loss = nn.functional.nll_loss(logs, labels).item()
    correct = (logs.argmax(1) == labels).sum().item()
    print(f"PyTorch {torch.__version__}: Test set: Average loss: {loss:.6f}, Accuracy: {correct}/{len(labels)}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: check-pytorch.py net19k|tiny6k|cnn11m FILE.safetensors MNIST_FOLDER")
    main(*sys.argv[1:])
