"""Two small CLIPs with random weights, as Hugging Face saves them, and their features of a picture, for tests/deep.rs.

    pip install torch transformers numpy pillow safetensors
    python tests/golden/clip.py
"""

from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.numpy import save
from transformers import ChineseCLIPConfig, ChineseCLIPModel, CLIPConfig, CLIPModel

HERE = Path(__file__).resolve().parent
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
SIDE = 32
VISION = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE, patch_size=8)
TEXT = dict(vocab_size=8, hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1,
            max_position_embeddings=4)

photo = Image.open(HERE.parent / "fixtures/pictures/photo.png").convert("RGB").crop((0, 0, SIDE, SIDE))
pixels = (np.asarray(photo, np.float32) / 255 - MEAN) / DEVIATION
pixels = torch.from_numpy(pixels).permute(2, 0, 1)[None]

for name, model, config in (("clip", CLIPModel, CLIPConfig), ("chinese-clip", ChineseCLIPModel, ChineseCLIPConfig)):
    torch.manual_seed(len(name))
    network = model(config(vision_config=VISION, text_config=TEXT, projection_dim=16)).eval()
    for parameter in network.parameters():  # larger than for training, so that every part counts
        torch.nn.init.normal_(parameter, std=0.3)
    folder = HERE / name
    network.half().save_pretrained(folder)
    network = model.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        features = network.get_image_features(pixels)
    features = getattr(features, "pooler_output", features)
    (folder / "features.safetensors").write_bytes(save({"features": features[0].numpy()}))
    print(f"{name}: transformers {transformers.__version__}, torch {torch.__version__}, norm {features.norm():.3f}")
