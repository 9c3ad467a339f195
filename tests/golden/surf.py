"""SURF: blobs by mahotas, and directions and descriptors by plain NumPy loops, for ours to agree with.

    pip install mahotas==1.4.19 safetensors numpy && python tests/golden/surf.py

mahotas balances the mixed derivative by 0.6. What it says of a pixel is compared, its response and its side; where it puts a blob between
pixels is not: the step has the wrong sign, and its gradient has the axes in another order than its Hessian. Nor are its directions and
descriptors: it takes a gradient out of the window that was never in it, and x for y in the angle.
"""

from pathlib import Path

import numpy as np
from mahotas.features import surf
from safetensors.numpy import load_file, save_file

HERE = Path(__file__).resolve().parent
OCTAVES, LAYERS, RESPONSE = 3, 4, 1.0

luma = load_file(HERE / "sift.safetensors")["luma"]
blobs = surf.interest_points(luma, OCTAVES, LAYERS, 1, RESPONSE, 100_000)


def total(x, y, w, h):
    """The sum of a rectangle, as far as it lies in the picture."""
    x0, y0 = max(x, 0), max(y, 0)
    return luma[y0:max(y + h, y0), x0:max(x + w, x0)].astype(np.int64).sum()


def rounded(v):
    return int(np.sign(v) * np.floor(abs(v) + 0.5))


def haar(x, y, side):
    half = max(rounded(side / 2), 1)
    x, y = rounded(x), rounded(y)
    left, right = total(x - half, y - half, half, 2 * half), total(x, y - half, half, 2 * half)
    upper, lower = total(x - half, y - half, 2 * half, half), total(x - half, y, 2 * half, half)
    return np.array([right - left, lower - upper], float)


def direction(x, y, s):
    gradients = []
    for v in range(-5, 6):
        for u in range(-5, 6):
            if u * u + v * v < 36:
                gradients.append(np.exp(-(u * u + v * v) / 8) * haar(x + u * s, y + v * s, 4 * s))
    angles = [np.arctan2(g[1], g[0]) for g in gradients]
    sums = [sum(g for g, a in zip(gradients, angles) if (a - start) % (2 * np.pi) < np.pi / 3) for start in angles]
    longest = max(sums, key=lambda g: g @ g)
    return np.arctan2(longest[1], longest[0])


def described(x, y, s, angle):
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    cells = np.zeros((4, 4, 4))
    for row in range(20):
        for column in range(20):
            u, v = column - 9.5, row - 9.5
            place = np.array([x, y]) + s * (u * along + v * across)
            gradient = np.exp(-(u * u + v * v) / (2 * 3.3**2)) * haar(*place, 2 * s)
            d = np.array([gradient @ along, gradient @ across])
            cells[row // 5, column // 5] += np.concatenate([d, abs(d)])
    return cells.ravel() / np.linalg.norm(cells)


points = np.concatenate([blobs[:20, [1, 0, 2]], [[3.3, 4.1, 2.0], [luma.shape[1] - 5.2, 60.7, 3.1]]])
angles = np.array([direction(*p) for p in points])
values = np.array([described(*p, a) for p, a in zip(points, angles)])
save_file(
    {"luma": luma, "blobs": blobs, "points": points, "angles": angles[:, None], "descriptors": values},
    HERE / "surf.safetensors",
)
print(len(blobs), "blobs")
