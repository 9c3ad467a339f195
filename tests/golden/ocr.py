"""Pictures with text, and what RapidOCR reads in them with the networks of `tuwen models`.

    pip install rapidocr-onnxruntime==1.4.4 onnxruntime==1.32.0
    python3 tests/golden/ocr.py

Glyphs are of Noto Serif CJK (SIL Open Font License), Debian's fonts-noto-cjk.
"""

import json
import pathlib
import tempfile

import numpy as np
import rapidocr_onnxruntime
import yaml
from PIL import Image, ImageDraw, ImageFont
from rapidocr_onnxruntime import RapidOCR

HERE = pathlib.Path(__file__).parent / "ocr"
MODELS = HERE.parents[2] / "data/models/ocr"
FONT = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"


def font(size):
    return ImageFont.truetype(FONT, size, index=2)  # simplified Chinese


def poster():
    picture = Image.new("RGB", (480, 300), (196, 30, 44))
    draw = ImageDraw.Draw(picture)
    draw.text((70, 30), "秋季校园招聘", (255, 240, 180), font(56))
    draw.text((60, 140), "2026年10月18日 上午9点", "white", font(28))
    draw.text((60, 200), "地点：图书馆一楼大厅", "white", font(28))
    return picture


def slanted():
    picture = Image.new("RGB", (420, 260), (30, 60, 110))
    ImageDraw.Draw(picture).text((60, 95), "小心台阶 注意安全", "yellow", font(36))
    return picture.rotate(12, Image.BICUBIC, fillcolor=(30, 60, 110))


def column():
    picture = Image.new("RGB", (240, 400), (245, 238, 220))
    draw = ImageDraw.Draw(picture)
    for i, glyph in enumerate("春江花月夜"):
        draw.text((100, 30 + 66 * i), glyph, (40, 30, 20), font(52))
    return picture


def banner():
    picture = Image.new("RGB", (900, 60), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((30, 8), "热烈祝贺我校学生在全国比赛中获得一等奖", (200, 0, 0), font(36))
    return picture


def latin():
    """Whose blanks RapidOCR loses; the test has what is drawn here."""
    picture = Image.new("RGB", (560, 200), "white")
    draw = ImageDraw.Draw(picture)
    for i, text in enumerate(("Grand Opening Sale Today", "Pro Max 15 256GB", "WiFi 密码 8888 6666")):
        draw.text((30, 10 + 60 * i), text, (30, 30, 30), font(32))
    return picture


def no_text():
    across = np.linspace(0, 255, 320)
    down = np.linspace(0, 255, 240)[:, None]
    planes = [across + 0 * down, down + 0 * across, 255 - across + 0 * down]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def rapidocr(folder):
    """With our networks, and with the settings that they were trained with (src/ocr/detection.rs, recognition.rs)."""
    own = pathlib.Path(rapidocr_onnxruntime.__file__).with_name("config.yaml")
    config = yaml.safe_load(own.read_text())
    config["Det"] |= {
        "model_path": str(MODELS / "detection.onnx"),
        "limit_side_len": 608,
    }
    config["Cls"]["model_path"] = str(MODELS / "angle.onnx")
    config["Rec"] |= {
        "model_path": str(MODELS / "recognition.onnx"),
        "rec_keys_path": str(MODELS / "characters.txt"),
        "rec_img_shape": [3, 48, 48],
    }
    path = pathlib.Path(folder) / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return RapidOCR(config_path=str(path), intra_op_num_threads=1)


def main():
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        reader = rapidocr(folder)
    read = {}
    latin().quantize(64).convert("RGB").save(HERE / "latin.png", optimize=True)
    for make in (poster, slanted, column, banner, no_text):
        path = HERE / f"{make.__name__}.png"
        make().quantize(64).convert("RGB").save(path, optimize=True)
        lines, _ = reader(str(path))
        read[path.name] = [
            {"text": text, "confidence": confidence, "quad": quad}
            for quad, text, confidence in lines or []
        ]
    (HERE / "lines.json").write_text(json.dumps(read, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
