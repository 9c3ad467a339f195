"""EfficientNet-Lite (Tan and Le, ICML 2019; the Lite variants of 2020) from PyTorch's weights to ONNX.

    python3 efficientnet_lite.py WEIGHTS.pth PATH/efficientnet-lite0     # writes PATH/efficientnet-lite0.onnx and -classes.npy

The input `pixels` is n×3×side×side; the outputs are `features` (n×1280, before the classifier) and the maps of the stages
`stage3`, `stage5`, `stage7` and `head` (n×channels×height×width). The other file holds what each class looks for in a
feature, and its bias: 1000×1281. The bytes are the same wherever this runs; it needs nothing but Python.
"""

import array
import collections
import io
import math
import pickle
import struct
import sys
import zipfile

# Expansion, kernel, stride, channels and repeats of each stage (Tan and Le 2019, table 1).
STAGES = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]
# Width and depth, as multiples of B0's, and the side of a picture.
VARIANTS = {"efficientnet-lite0": (1.0, 1.0, 224), "efficientnet-lite2": (1.1, 1.2, 260)}
MAPS = {3: "stage3", 5: "stage5", 7: "stage7"}
STEM, HEAD, CLASSES = 32, 1280, 1000
EPSILON = 1e-3

Stored = collections.namedtuple("Stored", "storage offset shape stride")


# ---- PyTorch's weights: a pickle of tensors, and their storages -------------------------------------------------------
class Tensors(pickle.Unpickler):
    """Knows tensors and dictionaries, and refuses everything else."""

    def find_class(self, module, name):
        if name == "OrderedDict":
            return collections.OrderedDict
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, shape, stride, *_: Stored(storage, offset, shape, stride)
        if name.endswith("Storage"):
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a tensor")

    def persistent_load(self, described):
        _, kind, key = described[:3]
        return kind, key


def weights(path):
    """The bytes of every tensor of single precision, and its shape."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            root = archive.namelist()[0].split("/")[0]
            tensors = Tensors(io.BytesIO(archive.read(f"{root}/data.pkl"))).load()
            storages = {key: archive.read(f"{root}/data/{key}") for (_, key), *_ in tensors.values()}
    else:  # before PyTorch 1.6: magic number, version, facts on the machine; then tensors, and the storages' keys
        with open(path, "rb") as file:
            for _ in range(3):
                Tensors(file).load()
            tensors, keys = Tensors(file).load(), Tensors(file).load()
            sizes = {key: 4 if kind == "FloatStorage" else 8 for (kind, key), *_ in tensors.values()}
            storages = {key: file.read(sizes[key] * struct.unpack("<q", file.read(8))[0]) for key in keys}
    found = {}
    for name, ((kind, key), offset, shape, stride) in tensors.items():
        if kind != "FloatStorage":
            continue
        stored = array.array("f", storages[key][4 * offset :])
        places = [0]
        for size, step in zip(shape, stride):  # row by row, however PyTorch has them
            places = [place + i * step for place in places for i in range(size)]
        found[name] = array.array("f", map(stored.__getitem__, places)).tobytes(), tuple(shape)
    return found


# ---- ONNX: messages of protocol buffers (onnx.proto3), field by field -------------------------------------------------
def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def nested(field, message):
    message = message.encode() if isinstance(message, str) else message
    return varint(field << 3 | 2) + varint(len(message)) + message


def tensor(name, data, shape):
    dims = b"".join(number(1, d) for d in shape)
    return nested(5, dims + number(2, 1) + nested(8, name) + nested(9, data))


def attribute(name, value):
    if isinstance(value, float):
        body, kind = varint(2 << 3 | 5) + struct.pack("<f", value), 1
    elif isinstance(value, int):
        body, kind = number(3, value), 2
    elif isinstance(value, str):
        body, kind = nested(4, value), 3
    else:
        body, kind = b"".join(number(8, i) for i in value), 7
    return nested(5, nested(1, name) + body + number(20, kind))


def value(field, name, shape):
    dims = b"".join(nested(1, nested(2, d) if isinstance(d, str) else number(1, d)) for d in shape)
    return nested(field, nested(1, name) + nested(2, nested(1, number(1, 1) + nested(2, dims))))


class Graph:
    def __init__(self, tensors):
        self.tensors, self.nodes, self.constants = tensors, [], {}

    def constant(self, name):
        self.constants[name] = self.tensors[name]
        return name

    def node(self, kind, inputs, output, **attributes):
        parts = [nested(1, i) for i in inputs] + [nested(2, output), nested(4, kind)]
        self.nodes.append(nested(1, b"".join(parts + [attribute(*a) for a in sorted(attributes.items())])))
        return output

    def convolution(self, x, output, convolution, norm, kernel, stride=1, groups=1, relu6=True):
        y = self.node("Conv", [x, self.constant(f"{convolution}.weight")], f"{output}.conv", auto_pad="SAME_UPPER",
                      group=groups, kernel_shape=[kernel] * 2, strides=[stride] * 2)
        parts = [self.constant(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        y = self.node("BatchNormalization", [y, *parts], f"{output}.norm" if relu6 else output, epsilon=EPSILON)
        return self.node("Clip", [y, "zero", "six"], output) if relu6 else y


def channels(wanted, width):
    """A multiple of 8, and at least nine tenths of what is wanted."""
    wanted *= width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def network(tensors, width, depth, side):
    graph = Graph(tensors)
    x, inputs, block = graph.convolution("pixels", "stem", "_conv_stem", "_bn0", 3, 2), STEM, 0
    outputs, size = [], math.ceil(side / 2)
    for stage, (expansion, kernel, first_stride, wanted, repeats) in enumerate(STAGES, 1):
        last = stage in (1, len(STAGES))  # the first and the last stage are not deeper in larger networks
        repeats = repeats if last else math.ceil(repeats * depth)
        made = channels(wanted, width)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            size = math.ceil(size / stride)
            name, y, wide = f"_blocks.{block}", x, inputs * expansion
            output = MAPS[stage] if stage in MAPS and repeat == repeats - 1 else f"block{block}"
            if expansion > 1:
                y = graph.convolution(y, f"{name}.expand", f"{name}._expand_conv", f"{name}._bn0", 1)
            y = graph.convolution(y, f"{name}.depthwise", f"{name}._depthwise_conv", f"{name}._bn1", kernel, stride, wide)
            residual = stride == 1 and inputs == made
            projected = f"{name}.project" if residual else output
            y = graph.convolution(y, projected, f"{name}._project_conv", f"{name}._bn2", 1, relu6=False)
            x = graph.node("Add", [y, x], output) if residual else y
            inputs, block = made, block + 1
        if stage in MAPS:
            outputs.append((MAPS[stage], [made, size, size]))
    x = graph.convolution(x, "head", "_conv_head", "_bn1", 1)
    outputs.append(("head", [HEAD, size, size]))
    graph.node("Flatten", [graph.node("GlobalAveragePool", [x], "pooled")], "features", axis=1)
    outputs.insert(0, ("features", [HEAD]))
    constants = {"zero": (struct.pack("<f", 0), ()), "six": (struct.pack("<f", 6), ()), **graph.constants}
    body = graph.nodes + [nested(2, "efficientnet-lite")] + [tensor(n, *c) for n, c in constants.items()]
    body += [value(11, "pixels", ["n", 3, side, side])] + [value(12, name, ["n", *shape]) for name, shape in outputs]
    return number(1, 8) + nested(7, b"".join(body)) + nested(8, nested(1, "") + number(2, 13))


def classes(tensors):
    """NumPy's format (NEP 1): each class's weights, and its bias."""
    (rows, _), (biases, _) = tensors["_fc.weight"], tensors["_fc.bias"]
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({CLASSES}, {HEAD + 1}), }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"  # so that the numbers begin at a multiple of 64 bytes
    rows = [rows[4 * HEAD * i :][: 4 * HEAD] + biases[4 * i :][:4] for i in range(CLASSES)]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"".join(rows)


if __name__ == "__main__":
    path, name = sys.argv[1:]
    variant = next(v for known, v in VARIANTS.items() if name.endswith(known))
    tensors = weights(path)
    for suffix, content in ((".onnx", network(tensors, *variant)), ("-classes.npy", classes(tensors))):
        with open(name + suffix, "wb") as file:
            file.write(content)
