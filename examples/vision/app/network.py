"""A small convolutional network for 8x8 grey images: its answer, by NumPy alone, for hosts that only serve it."""

from __future__ import annotations

import numpy as np

SIZE = 8
CHANNELS = (8, 16)
CLASSES = 10


def answer(weights: dict[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """Scores, (n, 10), of images (n, 8, 8) with values from 0 to 1: convolve, halve, convolve, halve, weigh."""
    found = images[..., np.newaxis].astype(np.float32)
    for layer in ("first", "second"):
        found = _halved(np.maximum(_convolved(found, weights[layer]) + weights[f"{layer}_bias"], 0))
    return found.reshape(len(images), -1) @ weights["last"] + weights["last_bias"]


def _convolved(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """3x3 convolution with a border of zeros: (n, h, w, c) with (3, 3, c, d) gives (n, h, w, d)."""
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(1, 2))
    return np.tensordot(windows, kernel, axes=((4, 5, 3), (0, 1, 2)))


def _halved(images: np.ndarray) -> np.ndarray:
    """The greatest of each 2x2."""
    count, height, width, channels = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
