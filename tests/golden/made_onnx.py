"""Small networks with random weights, in ONNX, and what they say by transformers: for tests/golden/networks.rs.

    pip install torch transformers onnx onnxscript numpy pillow safetensors
    python tests/golden/made_onnx.py

CLIP is exported as two towers, Chinese-CLIP as one network with both, ViT without pooling, as the usual exports are.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from transformers import (BertTokenizer, ChineseCLIPConfig, ChineseCLIPModel, CLIPConfig, CLIPModel, CLIPTokenizer, ViTConfig,
                          ViTModel)

HERE = Path(__file__).resolve().parent
OUT = HERE / "onnx"
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
SIDE = 32
VISION = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE, patch_size=8)
ENGLISH = ["A dog runs on the beach.", "two people", "a very long sentence " * 8, "Ünïcode, 3 dogs & 1 cat!"]
CHINESE = ["一只狗在海滩上跑", "两个人", "很长很长的句子" * 8, "Dog 和 3 只猫!"]
photo = Image.open(HERE.parent / "fixtures/pictures/photo.png").convert("RGB")
warnings.filterwarnings("ignore")


def made_up(network):
    for parameter in network.parameters():  # larger than for training, so that every part counts
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


def pixels(crop, filter, mean, deviation):
    """As transformers' processors prepare a picture by Pillow."""
    picture = photo
    if crop:
        short = min(picture.size)
        picture = picture.resize([int(v * SIDE / short) for v in picture.size], filter)
        left, top = ((v - SIDE) // 2 for v in picture.size)
        picture = picture.crop((left, top, left + SIDE, top + SIDE))
    else:
        picture = picture.resize((SIDE, SIDE), filter)
    values = (np.asarray(picture, np.float32) / 255 - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return torch.from_numpy(values).permute(2, 0, 1)[None].contiguous()


class Part(torch.nn.Module):
    def __init__(self, network, forward):
        super().__init__()
        self.network, self.part = network, forward

    def forward(self, *inputs):
        return self.part(self.network, *inputs)


def export(network, forward, example, name, inputs, outputs, free):
    torch.onnx.export(Part(network, forward), example, OUT / name, input_names=inputs, output_names=outputs, dynamic_axes=free,
                      dynamo=False, opset_version=14)


def features(answer):
    return getattr(answer, "pooler_output", answer)


def cosines(images, texts):
    unit = lambda v: v / v.norm(dim=-1, keepdim=True)
    return (unit(images) @ unit(torch.cat(texts)).T)[0].tolist()


def letters():
    """GPT-2's letters for bytes (Radford et al. 2019), by which CLIP cuts words."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(256 - len(plain))]


def clip():
    words = [*letters(), *(letter + "</w>" for letter in letters())]
    merges = [("d", "o"), ("do", "g</w>"), ("t", "h"), ("th", "e</w>"), ("o", "n</w>"), ("a", "c"), ("c", "a"), ("ca", "t</w>")]
    vocabulary = words + ["".join(pair) for pair in merges] + ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: i for i, word in enumerate(vocabulary)}, merges=merges)
    tokenizer.backend_tokenizer.save(str(OUT / "clip-tokenizer.json"))
    end = len(vocabulary) - 1
    text = dict(vocab_size=len(vocabulary), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                max_position_embeddings=77, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end)
    torch.manual_seed(1)
    network = made_up(CLIPModel(CLIPConfig(vision_config=VISION, text_config=text, projection_dim=16)))
    encoded = [tokenizer(t, truncation=True, max_length=77, return_tensors="pt") for t in ENGLISH]
    x = pixels(True, Image.BICUBIC, *CLIP)
    with torch.no_grad():
        texts = [features(network.get_text_features(**e)) for e in encoded]
        found = cosines(features(network.get_image_features(pixel_values=x)), texts)
    export(network, lambda n, x: features(n.get_image_features(pixel_values=x)), (x,), "clip-image.onnx", ["pixel_values"],
           ["image_embeds"], {"pixel_values": {0: "n"}, "image_embeds": {0: "n"}})
    example = (encoded[0]["input_ids"], encoded[0]["attention_mask"])
    export(network, lambda n, i, m: features(n.get_text_features(input_ids=i, attention_mask=m)), example, "clip-text.onnx",
           ["input_ids", "attention_mask"], ["text_embeds"],
           {"input_ids": {0: "n", 1: "length"}, "attention_mask": {0: "n", 1: "length"}, "text_embeds": {0: "n"}})
    return dict(texts=ENGLISH, tokens=[e["input_ids"][0].tolist() for e in encoded], cosines=found)


def chinese_clip():
    characters = sorted(set("".join(CHINESE)) - set(" ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, "dog", "##s"]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(vocabulary)}, do_lower_case=True)
    tokenizer.backend_tokenizer.save(str(OUT / "chinese-clip-tokenizer.json"))
    text = dict(vocab_size=len(vocabulary), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                max_position_embeddings=64)
    torch.manual_seed(2)
    network = made_up(ChineseCLIPModel(ChineseCLIPConfig(vision_config=VISION, text_config=text, projection_dim=16)))
    encoded = [tokenizer(t, truncation=True, max_length=52, return_tensors="pt") for t in CHINESE]
    x = pixels(False, Image.BICUBIC, *CLIP)
    with torch.no_grad():
        texts = [features(network.get_text_features(**e)) for e in encoded]
        found = cosines(features(network.get_image_features(pixel_values=x)), texts)

    def both(n, ids, x, mask):
        texts = features(n.get_text_features(input_ids=ids, attention_mask=mask))
        images = features(n.get_image_features(pixel_values=x))
        return images @ texts.T, texts, images

    example = (encoded[0]["input_ids"], x, encoded[0]["attention_mask"])
    names = ["input_ids", "pixel_values", "attention_mask"]
    export(network, both, example, "chinese-clip.onnx", names, ["logits_per_image", "text_embeds", "image_embeds"],
           {"input_ids": {0: "n", 1: "length"}, "attention_mask": {0: "n", 1: "length"}, "pixel_values": {0: "m"},
            "text_embeds": {0: "n"}, "image_embeds": {0: "m"}, "logits_per_image": {0: "m", 1: "n"}})
    return dict(texts=CHINESE, tokens=[e["input_ids"][0].tolist() for e in encoded], cosines=found)


def vit():
    torch.manual_seed(3)
    network = made_up(ViTModel(ViTConfig(**VISION)))
    rgb = np.asarray(photo.crop((0, 0, SIDE, SIDE)), np.float32)  # nothing is scaled
    x = torch.from_numpy((rgb / 255 - 0.5) / 0.5).permute(2, 0, 1)[None].contiguous()
    with torch.no_grad():
        found = network(pixel_values=x).last_hidden_state[0]
    export(network, lambda n, x: n(pixel_values=x).last_hidden_state, (x,), "vit.onnx", ["pixel_values"], ["last_hidden_state"],
           {"pixel_values": {0: "n"}, "last_hidden_state": {0: "n"}})
    return dict(first=found[0].tolist(), mean=found.mean(0).tolist())


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    figures = {"clip": clip(), "chinese-clip": chinese_clip(), "vit": vit(),
               "versions": {"torch": torch.__version__, "transformers": transformers.__version__}}
    (HERE / "onnx.json").write_text(json.dumps(figures, ensure_ascii=False) + "\n")
