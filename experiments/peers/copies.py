"""Which program finds transformed copies of pictures: tuwen, imagededup's hashes and network, OpenCV's ORB.

    pip install --require-hashes -r copies-requirements.txt
    python copies.py --data FOLDER --tuwen ../../target/release/tuwen --out ../copies

Takes pictures of any folder as originals and as distractors, makes transformed copies of each original, asks every
program for the original of each copy, and writes RESULTS.md and result.json. Every choice is drawn from --seed. Programs
too slow for all copies are asked for a sample, and the page says so.
"""

import argparse
import csv
import json
import os
import platform
import random
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from run import ran

LOWEST = "-1000"  # A threshold that lets every answer through: precision is looked at here.


# --- Transformations: (picture, random.Random, pictures from elsewhere) -> picture -----------------------------------

def crop(share):
    def of(a, r, _):
        w, h = (max(1, round(side * share**0.5)) for side in a.size)
        x, y = r.randint(0, a.width - w), r.randint(0, a.height - h)
        return a.crop((x, y, x + w, y + h))
    return of


def scale(factor):
    return lambda a, r, _: a.resize([max(1, round(side * factor)) for side in a.size], Image.Resampling.LANCZOS)


def rotate(degrees):
    return lambda a, r, _: a.rotate(degrees, Image.Resampling.BICUBIC, expand=True)


def enhance(kind, factor):
    return lambda a, r, _: kind(a).enhance(factor)


def noise(a, r, _):
    values = np.asarray(a, float)
    drawn = np.random.default_rng(r.getrandbits(32)).normal(0, 20, values.shape)
    return Image.fromarray(np.clip(values + drawn, 0, 255).astype(np.uint8))


def text(a, r, _):
    a = a.copy()
    draw, size = ImageDraw.Draw(a), max(10, a.height // 12)
    for line in range(4):
        y = round(a.height * (0.08 + 0.23 * line))
        draw.rectangle((0.05 * a.width, y, 0.8 * a.width, y + 1.5 * size), fill="white")
        draw.text((0.07 * a.width, y), f"SALE {r.randint(0, 99)} now cheaper", "darkred", ImageFont.load_default(size))
    return a


def logo(a, r, _):
    a = a.copy()
    draw, side = ImageDraw.Draw(a), 0.4 * min(a.size)
    x, y = r.uniform(0, a.width - side), r.uniform(0, a.height - side)
    draw.ellipse((x, y, x + side, y + side), fill=(20, 60, 200))
    draw.rectangle((x + side / 3, y + side / 3, x + side * 2 / 3, y + side * 2 / 3), fill=(255, 220, 0))
    return a


def border(a, r, _):
    return ImageOps.expand(a, round(0.18 * min(a.size)), "black")


def collage(a, r, others):
    """One of four pictures of its size."""
    tiles = [Image.open(path).convert("RGB").resize(a.size) for path in r.sample(others, 3)]
    tiles.insert(r.randint(0, 3), a)
    page = Image.new("RGB", (2 * a.width, 2 * a.height))
    for i, tile in enumerate(tiles):
        page.paste(tile, (i % 2 * a.width, i // 2 * a.height))
    return page


def chain(*steps):
    def of(a, r, others):
        for step in steps:
            a = step(a, r, others)
        return a
    return of


def mirror(a, r, _):
    return ImageOps.mirror(a)


def same(a, r, _):
    return a


QUALITY = 90  # Of JPEG, where the transformation is another.
TRANSFORMS = {
    "crop to 80 %": (crop(0.8), QUALITY), "crop to 50 %": (crop(0.5), QUALITY), "crop to 20 %": (crop(0.2), QUALITY),
    "scale to 50 %": (scale(0.5), QUALITY), "scale to 25 %": (scale(0.25), QUALITY),
    "JPEG 75": (same, 75), "JPEG 30": (same, 30), "JPEG 10": (same, 10), "JPEG 5": (same, 5),
    "rotate 5°": (rotate(5), QUALITY), "rotate 15°": (rotate(15), QUALITY), "rotate 90°": (rotate(90), QUALITY),
    "mirror": (mirror, QUALITY), "blur, 2 pixels": (lambda a, r, _: a.filter(ImageFilter.GaussianBlur(2)), QUALITY),
    "noise, 20 levels": (noise, QUALITY),
    "brightness x 1.5": (enhance(ImageEnhance.Brightness, 1.5), QUALITY),
    "brightness x 0.5": (enhance(ImageEnhance.Brightness, 0.5), QUALITY),
    "contrast x 0.5": (enhance(ImageEnhance.Contrast, 0.5), QUALITY),
    "grey": (lambda a, r, _: a.convert("L").convert("RGB"), QUALITY),
    "text over it": (text, QUALITY), "logo over it": (logo, QUALITY), "border": (border, QUALITY),
    "collage of four": (collage, QUALITY),
}
STRONG = {
    "crop to 50 %, rotate 15°, scale to 70 %, JPEG 30": (chain(crop(0.5), rotate(15), scale(0.7)), 30),
    "scale to 60 %, mirror, text over it, JPEG 20": (chain(scale(0.6), mirror, text), 20),
    "brightness x 0.6, mirror, collage of four, JPEG 30":
        (chain(enhance(ImageEnhance.Brightness, 0.6), mirror, collage), 30),
}


def pictures_below(folder):
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}:
            try:
                with Image.open(path) as a:
                    a.convert("RGB")
            except OSError:
                continue
            yield path.resolve()


def make(args):
    """Gallery and queries under --work: links, and a folder of copies for each transformation."""
    pictures = list(pictures_below(args.data))
    random.Random(args.seed).shuffle(pictures)
    n = min(args.originals, len(pictures) // 8)
    elsewhere = min(100, n)
    if elsewhere < 3:
        sys.exit(f"{args.data} has {len(pictures)} pictures, too few: 24 or more are needed")
    originals, others = pictures[:n], pictures[n:n + elsewhere]
    distractors = pictures[n + elsewhere:][:args.distractors]
    gallery, queries = args.work / "gallery", args.work / "queries"
    gallery.mkdir(parents=True)
    names = {}
    for i, path in enumerate(originals + distractors):
        name = f"{i:05}{path.suffix.lower()}"
        os.symlink(path, gallery / name)
        if i < n:
            names[name] = path
    for t, (of, quality) in enumerate((TRANSFORMS | STRONG).values()):
        folder = queries / f"{t:02}"
        folder.mkdir(parents=True)
        for name, path in names.items():
            r = random.Random(f"{args.seed} {t} {name}")
            copy = of(Image.open(path).convert("RGB"), r, others)
            copy.save(folder / f"{name}.jpg", quality=quality)
    with open(args.work / "truth.csv", "w", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["source", "query"])
        rows.writerows([name, f"{t:02}/{path.name}"] for t, name, path in asked(queries, 1))
    return gallery, queries, n, len(distractors)


def asked(queries, share):
    """Copies of every share-th original: (transformation, name of the original, path)."""
    for folder in sorted(queries.iterdir()):
        for path in sorted(folder.iterdir())[::share]:
            yield int(folder.name), path.name[:-len(".jpg")], path


# --- Programs: gallery, queries -> answers by path, and what they cost: seconds for the gallery, milliseconds a query;
# --- where the program says so, MiB of memory and the score from which it takes a picture for a copy ------------------

def tuwen(args, method, gallery, queries, share):
    folder = args.work / f"asked-{share}"
    if not folder.exists():
        for t, name, path in asked(queries, share):
            (folder / f"{t:02}").mkdir(parents=True, exist_ok=True)
            os.symlink(path, folder / f"{t:02}" / path.name)
    empty = args.work / "empty"
    empty.mkdir(exist_ok=True)
    out = args.work / f"{method}.csv"

    def run(queries, *more):
        return ran([args.tuwen, "copies", "--gallery", gallery, "--queries", queries, "--out", out, "--work",
                    args.work, "--method", method, "--scores", "-q", *more])

    said, _, first = run(empty)
    again = run(empty, "--threads", "1")[2]["wall"]
    run(folder, "--threshold", LOWEST)
    answers = {}
    with open(out, newline="") as table:
        for row in csv.DictReader(table):
            answers[row["query"]] = (row["source"], float(row["score"]))
    if not answers:
        sys.exit(f"tuwen {method} answered nothing; see {out}")
    found = {path: answers.get(f"{t:02}/{path.name}") for t, _, path in asked(queries, share)}
    few = args.work / "few"
    if not few.exists():
        few.mkdir()
        for t, name, path in asked(queries, max(1, args.originals // 10)):
            os.symlink(path, few / f"{t:02}-{path.name}")
    *_, one = run(few, "--threads", "1", "--threshold", LOWEST)
    default = float(re.search(r"of score (\S+) or more", said)[1])
    query = 1000 * (one["wall"] - again) / len(list(few.iterdir()))
    return found, {"first": first["wall"], "query": query, "peak": first["memory"], "default": default}


def hashes(name):
    def of(args, gallery, queries, share):
        from imagededup import methods
        hasher = getattr(methods, name)(verbose=False)
        start = time.perf_counter()
        names, codes = [], []
        for path in sorted(gallery.iterdir()):
            names.append(path.name)
            codes.append(int(hasher.encode_image(image_file=path), 16))
        codes, first = np.array(codes, np.uint64), time.perf_counter() - start
        found, start = {}, time.perf_counter()
        for _, _, path in asked(queries, share):
            code = np.uint64(int(hasher.encode_image(image_file=path), 16))
            distances = np.bitwise_count(codes ^ code)
            best = int(distances.argmin())
            found[path] = (names[best], -float(distances[best]))
        return found, {"first": first, "query": 1000 * (time.perf_counter() - start) / len(found)}
    return of


def network(args, gallery, queries, share):
    import torch
    from imagededup.methods import CNN
    torch.set_num_threads(1)
    network = CNN(verbose=False)
    start = time.perf_counter()
    paths = sorted(gallery.iterdir())
    codes = np.vstack([network.encode_image(image_file=path) for path in paths])
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    first, found, start = time.perf_counter() - start, {}, time.perf_counter()
    for _, _, path in asked(queries, share):
        code = network.encode_image(image_file=path)[0]
        likeness = codes @ (code / np.linalg.norm(code))
        best = int(likeness.argmax())
        found[path] = (paths[best].name, float(likeness[best]))
    return found, {"first": first, "query": 1000 * (time.perf_counter() - start) / len(found)}


def orb(args, gallery, queries, share):
    """A vote for the picture of each keypoint's nearest neighbour in the whole gallery that passes the ratio test."""
    cv2.setNumThreads(1)
    detector, matcher = cv2.ORB_create(nfeatures=500), cv2.BFMatcher(cv2.NORM_HAMMING)
    start, paths = time.perf_counter(), sorted(gallery.iterdir())

    def describe(path):
        found = detector.detectAndCompute(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), None)[1]
        return np.zeros((0, 32), np.uint8) if found is None else found

    matcher.add([describe(path) for path in paths])
    first, found, start = time.perf_counter() - start, {}, time.perf_counter()
    for _, _, path in asked(queries, share):
        votes = np.zeros(len(paths), int)
        for pair in matcher.knnMatch(describe(path), k=2):
            if len(pair) == 2 and pair[0].distance < 0.8 * pair[1].distance:
                votes[pair[0].imgIdx] += 1
        best = int(votes.argmax())
        found[path] = (paths[best].name, float(votes[best]))
    return found, {"first": first, "query": 1000 * (time.perf_counter() - start) / len(found)}


# --- What came out ---------------------------------------------------------------------------------------------------

def figures(found, queries, share, default):
    """Recall at 1 by transformation, the most copies that are found while 99 % of the answers are right, and recall and
    precision of what the program takes for copies."""
    right, of = {}, {}
    answers = []
    for t, name, path in asked(queries, share):
        of[t] = of.get(t, 0) + 1
        answer = found[path]
        right[t] = right.get(t, 0) + bool(answer and answer[0] == name)
        if answer:
            answers.append((answer[1], answer[0] == name))
    answers.sort(key=lambda a: -a[0])
    best, threshold, n = 0, None, 0
    for i, (score, is_right) in enumerate(answers, 1):
        n += is_right
        last = i == len(answers) or answers[i][0] < score  # Answers of one score come together.
        if last and n >= 0.99 * i and n > best:
            best, threshold = n, score
    taken = {}
    if default is not None:
        copies = [is_right for score, is_right in answers if score >= default]
        taken = {"recall taken": sum(copies) / sum(of.values()), "precision taken": sum(copies) / max(1, len(copies))}
    wrong = max((score for score, is_right in answers if not is_right), default=None)
    return {"recall": {t: right[t] / of[t] for t in of}, "at 99 %": best / sum(of.values()), "threshold": threshold,
            "highest wrong": wrong, "asked": sum(of.values())} | taken


def percent(share):
    return f"{100 * share:.1f}"


def page(args, shape, results):
    names = list(TRANSFORMS | STRONG)
    plain, strong = range(len(TRANSFORMS)), range(len(TRANSFORMS), len(names))
    lines = ["# Finding copies", "", f"Written by `make copies-benchmark`; {shape['originals']:,} originals among "
             f"{shape['gallery']:,} pictures of `{args.data.name}`, {len(names)} transformed copies of each, seed "
             f"{args.seed}. Percent of the copies whose original came first. {platform.machine()}, "
             f"{os.cpu_count()} cores; Python {platform.python_version()}, "
             + ", ".join(f"{p} {version(p)}" for p in ("imagededup", "opencv-python-headless", "pillow")) + ".", ""]
    titles = list(results)
    lines += ["| | " + " | ".join(titles) + " |", "|---" + "|---:" * len(titles) + "|"]

    def row(label, cell):
        lines.append(f"| {label} | " + " | ".join(cell(r) if "recall" in r else "not run" for r in results.values()) + " |")

    def mean(over):
        return lambda r: percent(np.mean([r["recall"][t] for t in over]))

    for t, name in enumerate(names):
        row(name, lambda r: percent(r["recall"][t]))
    row("**all**", mean(range(len(names))))
    row("**strong ones** (the last three)", mean(strong))
    row("**recall at precision 99 %**", lambda r: percent(r["at 99 %"]))
    row("recall at the program's own threshold", lambda r: percent(r["recall taken"]) if "default" in r else "-")
    row("precision there", lambda r: f"{100 * r['precision taken']:.2f}" if "default" in r else "-")
    row("its own threshold", lambda r: f"{r['default']:g}" if "default" in r else "-")
    row("score at precision 99 %", lambda r: "-" if r["threshold"] is None else f"{r['threshold']:.2f}")
    row("highest score of a wrong answer", lambda r: "-" if r["highest wrong"] is None else f"{r['highest wrong']:.2f}")
    row("copies asked for", lambda r: f"{r['asked']:,}")
    row("gallery, s (tuwen: all cores)", lambda r: f"{r['first']:.0f}")
    row("query, ms on one core", lambda r: f"{r['query']:.1f}")
    row("peak memory, MiB", lambda r: f"{r['peak']:.0f}" if "peak" in r else "-")
    lines += [""] + [f"{title}: not run, {r['reason']}." for title, r in results.items() if "reason" in r]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "RESULTS.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    (args.out / "result.json").write_text(json.dumps({"shape": shape, "results": results}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of pictures; folders in it count, too")
    parser.add_argument("--tuwen", type=Path, help="the program")
    parser.add_argument("--out", type=Path, help="where the page goes; without it, the copies alone are made")
    parser.add_argument("--work", type=Path, required=True, help="a folder that is not there yet, for gallery and copies")
    parser.add_argument("--originals", type=int, default=1000)
    parser.add_argument("--distractors", type=int, default=7000)
    parser.add_argument("--share", type=int, default=50, help="slow programs are asked for every so many-th original, ORB for a fifth of those")
    parser.add_argument("--methods", nargs="*", default=[], help="of tuwen, beside its default: vlad phash ...")
    parser.add_argument("--seed", type=int, default=2024)
    args = parser.parse_args()
    args.tuwen = args.tuwen and args.tuwen.resolve()
    args.work = args.work.resolve()  # Links below it must lead to it from anywhere.
    if args.work.exists():
        sys.exit(f"{args.work} is there already: remove it, or name another folder")
    gallery, queries, originals, distractors = make(args)
    if args.out is None:
        return
    shape = {"originals": originals, "gallery": originals + distractors, "data": args.data.name, "seed": args.seed}
    few, fewer = min(args.share, originals), min(5 * args.share, originals)
    programs = {"tuwen": (lambda *a: tuwen(args, "auto", *a), 1)}
    for method in args.methods:
        programs[f"tuwen {method}"] = (lambda *a, m=method: tuwen(args, m, *a), few)
    for name in ("PHash", "DHash"):
        programs[f"imagededup {name}"] = (lambda *a, n=name: hashes(n)(args, *a), 1)
    programs["imagededup CNN"] = (lambda *a: network(args, *a), few)
    programs["OpenCV ORB"] = (lambda *a: orb(args, *a), fewer)
    results = {}
    for title, (program, share) in programs.items():
        print(f"{title} ...", file=sys.stderr, flush=True)
        try:
            found, cost = program(gallery, queries, share)
            results[title] = figures(found, queries, share, cost.get("default")) | cost
        except (ImportError, OSError) as e:  # A package or a network's weights that cannot be had.
            results[title] = {"reason": str(e).splitlines()[0]}
        page(args, shape, results)


if __name__ == "__main__":
    main()
