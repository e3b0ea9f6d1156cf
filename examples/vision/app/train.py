"""Trains the network on a core host, on data read from HDFS, and writes the model back there. Prints JSON.

Usage: train.py NAME_NODE_URL DATASET MODEL
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from files import Files
from network import CHANNELS, CLASSES, SIZE, answer

EPOCHS = 60
BATCH = 64
RATE = 3e-3
SEED = 7
# Every fifth image is held back: the model is judged on those.
HELD_BACK = 5

Weights = dict[str, jax.Array]


def fresh_weights() -> Weights:
    """Small random numbers, the same each time."""
    one, two, three = jax.random.split(jax.random.key(SEED), 3)
    first, second = CHANNELS
    flat = (SIZE // 4) ** 2 * second
    return {
        "first": jax.random.normal(one, (3, 3, 1, first)) * (2 / 9) ** 0.5,
        "first_bias": jnp.zeros(first),
        "second": jax.random.normal(two, (3, 3, first, second)) * (2 / (9 * first)) ** 0.5,
        "second_bias": jnp.zeros(second),
        "last": jax.random.normal(three, (flat, CLASSES)) * (1 / flat) ** 0.5,
        "last_bias": jnp.zeros(CLASSES),
    }


def scores(weights: Weights, images: jax.Array) -> jax.Array:
    """What `network.answer` gives, so that it can be trained."""
    found = images[..., None]
    for layer in ("first", "second"):
        found = jax.lax.conv_general_dilated(
            found, weights[layer], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        found = jax.nn.relu(found + weights[f"{layer}_bias"])
        found = jax.lax.reduce_window(found, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return found.reshape(len(images), -1) @ weights["last"] + weights["last_bias"]


def loss(weights: Weights, images: jax.Array, labels: jax.Array) -> jax.Array:
    """Cross entropy."""
    return -jnp.take_along_axis(jax.nn.log_softmax(scores(weights, images)), labels[:, None], axis=1).mean()


@jax.jit
def step(weights: Weights, moments: tuple[Weights, Weights], count: float, images: jax.Array, labels: jax.Array):  # noqa: ANN201 - jax's own
    """One step of Adam (Kingma and Ba, 2015)."""
    slope = jax.grad(loss)(weights, images, labels)
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], slope)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], slope)
    rate = RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    moved = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), weights, mean, square)
    return moved, (mean, square)


def train(images: np.ndarray, labels: np.ndarray) -> Weights:
    """The weights after all epochs."""
    weights = fresh_weights()
    zeros = jax.tree.map(jnp.zeros_like, weights)
    moments, count = (zeros, zeros), 0
    order = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(images))
        for begin in range(0, len(images) - BATCH + 1, BATCH):
            chosen = shuffled[begin : begin + BATCH]
            count += 1
            weights, moments = step(weights, moments, float(count), images[chosen], labels[chosen])
    return weights


def main(url: str, dataset: str, model: str) -> None:
    """Read, train, judge on what was held back, write."""
    files = Files(url)
    rows = np.loadtxt(io.StringIO(gzip.decompress(files.read(dataset)).decode()), delimiter=",", dtype=np.float32)
    images, labels = rows[:, :-1].reshape(-1, SIZE, SIZE) / 16, rows[:, -1].astype(int)
    is_held_back = np.arange(len(rows)) % HELD_BACK == 0
    begun = time.monotonic()
    weights = {name: np.asarray(value) for name, value in train(images[~is_held_back], labels[~is_held_back]).items()}
    seconds = time.monotonic() - begun
    right = answer(weights, images[is_held_back]).argmax(axis=1) == labels[is_held_back]
    packed = io.BytesIO()
    np.savez(packed, **weights)
    files.write(model, packed.getvalue())
    counts = {"images": int((~is_held_back).sum()), "held_back": int(is_held_back.sum())}
    told = {"accuracy": round(float(right.mean()), 4), "train_s": round(seconds, 1), **counts}
    print(json.dumps({**told, "device": jax.devices()[0].platform}))


if __name__ == "__main__":
    main(*sys.argv[1:])
