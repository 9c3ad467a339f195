"""Features of EfficientNet-Lite0 by PyTorch, for tests/golden/networks.rs.

    pip install torch numpy pillow safetensors efficientnet-lite-pytorch
    python tests/golden/lite0.py            # lite0.safetensors, and lite0.json with the weights' names and shapes;
                                            # legacy.pth, small tensors as PyTorch before 1.6 wrote them
    python tests/golden/lite0.py PTH PICTURE...   # the features of pictures with trained weights, and their classes

Not part of make.py, because PyTorch is large. The weights of the golden are made up by a formula that the test knows
too, so that neither has to have the trained ones.
"""

import json
import math
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.numpy import save

HERE = Path(__file__).resolve().parent
SIDE = 224


def hashed(name, count):
    """-1 to 1 from a name and a place: FNV-1a, then Murmur's last mixing."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 % 2**32
    h = np.arange(count, dtype=np.uint32) + np.uint32(seed)
    for factor in (0x85EBCA6B, 0xC2B2AE35):
        h = (h ^ (h >> np.uint32(15))) * np.uint32(factor)
    h = h ^ (h >> np.uint32(16))
    return h / 2.0**31 - 1.0


def made_up(name, shape):
    values = hashed(name, math.prod(shape))
    if len(shape) == 4:  # keeps the variance (He et al. 2015)
        values = values * math.sqrt(6 / math.prod(shape[1:]))
    elif name.endswith("running_var"):
        values = 1 + 0.5 * values
    elif name.endswith(".weight"):
        values = 1 + 0.1 * values
    else:
        values = 0.1 * values
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def features(network, rgb):
    """The mean of the last map, 1280."""
    x = torch.from_numpy((np.asarray(rgb, np.float32) - 127) / 128).permute(2, 0, 1)[None]
    with torch.no_grad():
        return network.extract_features(x).mean((0, 2, 3))


def golden():
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    state = network.state_dict()
    shapes = {name: list(tensor.shape) for name, tensor in state.items() if tensor.is_floating_point()}
    for name, shape in shapes.items():
        state[name] = made_up(name, tuple(shape))
    network.load_state_dict(state)
    photo = Image.open(HERE.parent / "fixtures/pictures/photo.png").convert("RGB")
    found = features(network, photo.crop((0, 0, SIDE, SIDE)))
    (HERE / "lite0.safetensors").write_bytes(save({"features": found.numpy()}))
    lines = ",\n".join(f" {json.dumps(name)}: {shape}" for name, shape in shapes.items())
    (HERE / "lite0.json").write_text(f"{{\n{lines}\n}}\n")
    print(f"torch {torch.__version__}: mean {found.mean():.4f}, at 0 {(found == 0).sum()}, at 6 {(found == 6).sum()}")


def legacy():
    flat = torch.arange(10.0)
    tensors = {
        "whole": torch.arange(6.0).reshape(2, 3),
        "turned": torch.arange(6.0).reshape(3, 2).t(),
        "part": flat[4:8],
        "rest": flat[8:],
        "half": torch.tensor([0.5, -2]).half(),
        "double": torch.tensor([[1.5]]).double(),
        "count": torch.tensor(7),
    }
    torch.save(OrderedDict(tensors), HERE / "legacy.pth", _use_new_zipfile_serialization=False)


def trained(weights, pictures):
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    for picture in pictures:
        rgb = Image.open(picture).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
        found = features(network, rgb)
        classes = (network._fc(found)).topk(3)
        print(Path(picture).name, classes.indices.tolist(), [round(v, 3) for v in classes.values.tolist()], *found[:5].tolist())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        trained(sys.argv[1], sys.argv[2:])
    else:
        golden()
        legacy()
