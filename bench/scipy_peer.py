"""The SciPy side of `npm run bench -- corruptions`: reads one JSON request a line, times it, answers with one JSON line."""

import json
import sys
import time

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, zoom

SIDE = 224
rng = np.random.default_rng(0)
IMAGE = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def blur(x, sigma):
    return gaussian_filter(x, (sigma, sigma, 0), mode="nearest", truncate=4)


def glass_blur():
    """The offsets of a pass are drawn in one call, which is faster than the original's two calls per pixel."""
    for sigma, most, passes in [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)]:
        y = (blur(IMAGE / 255.0, sigma) * 255).astype(np.uint8)
        steps = range(SIDE - most, most, -1)
        for _ in range(passes):
            offsets = rng.integers(-most, most, (len(steps) ** 2, 2)).tolist()
            k = 0
            for h in steps:
                for w in steps:
                    dx, dy = offsets[k]
                    y[h, w] = y[h + dy, w + dx]
                    k += 1
        np.uint8(np.clip(blur(y / 255.0, sigma), 0, 1) * 255)


def clipped_zoom(x, factor):
    crop = int(np.ceil(SIDE / factor))
    top = (SIDE - crop) // 2
    big = zoom(x[top : top + crop, top : top + crop], (factor, factor, 1), order=1)
    trim = (big.shape[0] - SIDE) // 2
    return big[trim : trim + SIDE, trim : trim + SIDE]


def zoom_blur():
    for factors, step in [(12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03)]:
        x = (IMAGE / 255.0).astype(np.float32)
        total = x.copy()
        for k in range(1, factors):
            total += clipped_zoom(x, 1 + k * step)
        np.uint8(np.clip((x + total) / (factors + 1), 0, 1) * 255)


def elastic_transform():
    unit = 244
    rows, columns = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    shape = (SIDE, SIDE)
    for alpha, sigma, affine in [(2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)]:
        x = (IMAGE / 255.0).astype(np.float32)
        a, b, d, e = np.eye(2).ravel() + rng.uniform(-affine, affine, 4)
        at = [d * columns + e * rows, a * columns + b * rows]
        warped = np.stack([map_coordinates(x[..., c], at, order=1, mode="mirror") for c in range(3)], -1)
        dx, dy = (
            (gaussian_filter(rng.uniform(-1, 1, shape), sigma * unit, mode="reflect", truncate=3) * alpha * unit).astype(np.float32)
            for _ in range(2)
        )
        at = [rows + dy, columns + dx]
        out = np.stack([map_coordinates(warped[..., c], at, order=1, mode="reflect") for c in range(3)], -1)
        np.uint8(np.clip(out, 0, 1) * 255)


CASES = {"glass_blur": glass_blur, "zoom_blur": zoom_blur, "elastic_transform": elastic_transform}

for line in sys.stdin:
    request = json.loads(line)
    run = CASES[request["case"]]
    seconds = []
    for _ in range(request["runs"]):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds}), flush=True)
