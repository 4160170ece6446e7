"""Keras on TensorFlow as a peer: python peer_keras.py THREADS (function | jit)."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import tensorflow
from keras import layers as keras_layers

import peer


def build_conv(layer):
    """Convolutions with padding that is neither none nor half get a layer of zeros in front."""
    kernel, stride, padding = layer["kernel"], layer["stride"], layer["padding"]
    is_same = stride == 1 and 2 * padding == kernel - 1 and padding > 0
    before = [keras_layers.ZeroPadding2D(padding)] if padding > 0 and not is_same else []
    mode = {"strides": stride, "padding": "same" if is_same else "valid", "use_bias": layer["bias"]}
    channels = layer["input"]["channels"]
    if layer["groups"] == channels and layer["outChannels"] == channels and channels > 1:
        return [*before, keras_layers.DepthwiseConv2D(kernel, **mode)]
    return [*before, keras_layers.Conv2D(layer["outChannels"], kernel, groups=layer["groups"], **mode)]


def build_layers(layer):
    kind = layer["type"]
    if kind == "conv":
        return build_conv(layer)
    if kind == "batchNorm":
        return [keras_layers.BatchNormalization(momentum=0.9, epsilon=1e-5)]
    if kind == "relu":
        return [keras_layers.ReLU()]
    if kind == "maxPool":
        return [keras_layers.MaxPooling2D(layer["kernel"], strides=layer.get("stride"))]
    if kind == "avgPool":
        return [keras_layers.AveragePooling2D(layer["kernel"], strides=layer.get("stride"))]
    if kind == "globalAvgPool":
        return [keras_layers.GlobalAveragePooling2D()]
    if kind == "dropout":
        return [keras_layers.Dropout(layer["p"])]
    if kind == "flatten":
        return [keras_layers.Flatten()]
    if kind == "linear":
        return [keras_layers.Dense(layer["outFeatures"], use_bias=layer["bias"])]
    if kind == "logSoftmax":
        return []
    raise ValueError(f"no Keras layer for {kind}")


def build_network(model):
    shape = model["input"]
    network = keras.Sequential([keras.Input((shape["height"], shape["width"], shape["channels"]))])
    for layer in model["layers"]:
        for built in build_layers(layer):
            network.add(built)
    network.add(keras_layers.Flatten())
    return network


def prepare(model, variant):
    images, labels = peer.make_batches(model)
    batches = [tensorflow.constant(batch.transpose(0, 2, 3, 1)) for batch in images]
    targets = [tensorflow.constant(batch) for batch in labels]
    network = build_network(model)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(network.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tensorflow.function(jit_compile=variant == "jit")
    def train(batch, target):
        with tensorflow.GradientTape() as tape:
            loss = loss_of(target, network(batch, training=True))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return loss

    def step(index):
        train(batches[index], targets[index]).numpy()

    return step


if __name__ == "__main__":
    threads, chosen = int(sys.argv[1]), sys.argv[2]
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(1)
    version = f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}"
    peer.serve(version, lambda model: prepare(model, chosen))
