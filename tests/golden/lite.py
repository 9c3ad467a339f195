"""Features of EfficientNet-Lite by PyTorch, for tests/golden/networks.rs.

    pip install torch numpy pillow safetensors efficientnet-lite-pytorch
    python tests/golden/lite.py LITE0.pth LITE2.pth      # from the wheels in experiments/networks/lite.txt; writes lite.safetensors
"""

import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.numpy import save

HERE = Path(__file__).resolve().parent
photo = np.asarray(Image.open(HERE.parent / "fixtures/pictures/photo.png").convert("RGB"), np.float32)
found = {}
for name, side, weights in zip(("efficientnet-lite0", "efficientnet-lite2"), (224, 260), sys.argv[1:], strict=True):
    network = EfficientNet.from_name(name).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    # as many copies side by side as fill the square, so that nothing is scaled
    rgb = np.pad(photo, ((0, max(side - len(photo), 0)), (0, max(side - photo.shape[1], 0)), (0, 0)), "wrap")[:side, :side]
    x = torch.from_numpy((rgb - 127) / 128).permute(2, 0, 1)[None]
    with torch.no_grad():
        feature = network.extract_features(x).mean((0, 2, 3))
        scores = network._fc(feature)
    found[name] = feature.numpy()
    found[f"{name}-scores"] = scores.numpy()
    print(name, torch.__version__, "best class", scores.argmax().item(), "norm", feature.norm().item())
(HERE / "lite.safetensors").write_bytes(save(found))
