"""Dense SIFT by VLFeat (Debian's libvlfeat1 0.9.21, by ctypes), for ours to agree with.

    apt-get install libvlfeat1 && python tests/golden/make_vlfeat.py

As `vl_phow` does it: the picture is smoothed for each size of cell by sqrt((cell/6)² - 1/4), then described with the
flat window. A descriptor is 4 rows of 4 cells of 8 orientations, the first along x, the next turning towards y, which
points down: our own order, so nothing is permuted.
"""

import ctypes
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import save as to_bytes

HERE = Path(__file__).resolve().parent
PHOTO = HERE.parent / "fixtures/pictures/photo.png"
STEP, CELLS = 6, (4, 6, 8, 10)


class Geometry(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int) for n in ("t", "x", "y", "size_x", "size_y")]


class Filter(ctypes.Structure):  # VlDsiftFilter of vl/dsift.h, as far as it is read or set here.
    _fields_ = [(n, ctypes.c_int) for n in ("width", "height", "step_x", "step_y", "min_x", "min_y", "max_x", "max_y")] + [
        ("geometry", Geometry), ("flat", ctypes.c_int), ("window", ctypes.c_double), ("count", ctypes.c_int),
        ("size", ctypes.c_int), ("frames", ctypes.POINTER(ctypes.c_double)), ("descriptors", ctypes.POINTER(ctypes.c_float))]


vl = ctypes.CDLL("libvl.so.1")
vl.vl_dsift_new_basic.restype = ctypes.POINTER(Filter)
FLOATS = ctypes.POINTER(ctypes.c_float)


def smoothed(image, cell):
    sigma = max((cell / 6) ** 2 - 0.25, 0) ** 0.5
    h, w = image.shape
    out = np.zeros_like(image)
    size = ctypes.c_size_t
    vl.vl_imsmooth_f(out.ctypes.data_as(FLOATS), size(w), image.ctypes.data_as(FLOATS), size(w), size(h), size(w),
                     ctypes.c_double(sigma), ctypes.c_double(sigma))
    return out


def described(image, cell, step=STEP):
    h, w = image.shape
    f = vl.vl_dsift_new_basic(w, h, step, cell)
    f.contents.flat = 1
    vl.vl_dsift_process(f, image.ctypes.data_as(FLOATS))
    n = f.contents.count
    frames = np.ctypeslib.as_array(f.contents.frames, (n, 4)).copy()
    descriptors = np.ctypeslib.as_array(f.contents.descriptors, (n, f.contents.size)).copy()
    vl.vl_dsift_delete(f)
    return frames[:, :2].astype(np.float32), descriptors


if __name__ == "__main__":
    rgb = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[40:89, 50:120]
    arrays = {"luma": np.ascontiguousarray(luma)}
    for cell in CELLS:
        frames, descriptors = described(smoothed(arrays["luma"].astype(np.float32), cell), cell)
        assert descriptors.any(axis=1).all()
        arrays |= {f"centres_{cell}": frames, f"descriptors_{cell}": descriptors}
    (HERE / "dense_sift.safetensors").write_bytes(to_bytes(arrays))
