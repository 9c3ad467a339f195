"""Pixel similarity by scikit-image, and nearest pictures by grey histograms in OpenCV: for tests/golden/pixels.rs.

    pip install scikit-image opencv-python-headless numpy
    python tests/golden/pixels.py
"""

import json
from pathlib import Path

import cv2
import numpy as np
import skimage
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

HERE = Path(__file__).resolve().parent
PICTURES = HERE.parent / "fixtures/attachments"


def grey_of(path):
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)


photo = grey_of(HERE.parent / "fixtures/pictures/photo.png")

changes = {
    "brighter": np.clip(photo.astype(int) + 20, 0, 255).astype(np.uint8),
    "blurred": cv2.GaussianBlur(photo, (0, 0), 2),
    "mirrored": photo[:, ::-1],
    "moved": np.roll(photo, 3, axis=1),
}
similar = {}
for name, other in changes.items():
    ssim = structural_similarity(photo, other, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    similar[name] = [mean_squared_error(photo, other), peak_signal_noise_ratio(photo, other, data_range=255), ssim]
    cv2.imwrite(str(HERE / f"pixels/{name}.png"), other)


def histogram(path):
    counts = cv2.calcHist([grey_of(path)], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    return counts / np.linalg.norm(counts)


def folder(attachment):
    files = sorted((PICTURES / attachment / "ImageData").iterdir())
    return [f for f in files if cv2.imread(str(f)) is not None]


gallery, queries = folder("attachment2"), folder("attachment3")
seen = [histogram(f) for f in gallery]
nearest = {}
for query in queries:
    cosines = [histogram(query) @ v for v in seen]
    nearest[query.name] = [gallery[int(np.argmax(cosines))].name, float(np.max(cosines))]
figures = {"similar": similar, "nearest": nearest, "versions": {"scikit-image": skimage.__version__, "opencv": cv2.__version__}}
(HERE / "pixels.json").write_text(json.dumps(figures, ensure_ascii=False) + "\n")
