"""Pictures with a bright square in one of two corners, and a recipe that learns which in seconds."""

from __future__ import annotations

import numpy as np

QUICK = {
    "sizes": {
        "width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 1, "rate": 1e-2, "decay": 1e-2,
    },
    "plan": {
        "seed": 0, "steps": 60, "batch": 32, "rate": 1e-2, "decay": 1e-2, "every": 20, "patience": 9, "average": 0.9,
        "warm": 0.05, "clip": 1.0, "absent": 0.1, "until": None,
    },
}  # fmt: skip


def corners(count, seed):
    """Pictures of three sizes with a bright square in one of two corners, and which."""
    random = np.random.default_rng(seed)
    pictures, labels = [], []
    for _ in range(count):
        size = int(random.choice([32, 40, 64]))
        picture = random.integers(60, 120, (size, size, 1)).astype(np.uint8)
        right, part = bool(random.integers(2)), size // 4
        (picture[:part, -part:] if right else picture[:part, :part])[...] = 250
        pictures.append(picture)
        labels.append("right" if right else "left")
    return pictures, labels
