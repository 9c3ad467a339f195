"""How time, memory and disk grow with the number of pictures, and what an index over millions of vectors costs.

    pip install --require-hashes -r bench-requirements.txt
    python growth.py --data FOLDER --tuwen ../../target/release/tuwen --out .. --work a-folder-that-is-not-there

Makes sets of n pairs out of the pictures below --data, each a seeded crop, sometimes mirrored, with a made-up caption; runs
`features` and `fit` on each set, and the index on vectors in the shape of theirs. Writes GROWTH.md, growth.json and
plots/growth.svg.
"""

import argparse
import csv
import json
import multiprocessing
import os
import platform
import random
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageOps

from bench import machine
from run import ROOT, ran, thread_seconds

WORDS = "一个 男孩 女孩 老人 两只 狗 猫 马 在 草地 海边 街道 雪地 上 跑 跳 玩 看 红色 蓝色 球 帽子 自行车 和 穿着 外套 微笑".split()
INDICES = ["Flat", "IVF{lists},SQ8", "IVF{lists},PQ64np"]
PROBED = [64, 16]  # One list in so many.
LARGEST_FLAT = 1_000_000


def make(task):
    """The i-th picture: a crop of one that is there."""
    path, target, seed = task
    r = random.Random(seed)
    with Image.open(path) as a:
        a = a.convert("RGB")
    w, h = (round(side * r.uniform(0.85, 1)) for side in a.size)
    x, y = r.randint(0, a.width - w), r.randint(0, a.height - h)
    a = a.crop((x, y, x + w, y + h))
    (ImageOps.mirror(a) if r.random() < 0.5 else a).save(target, quality=85)


def make_pictures(args, folder):
    """As many as the largest set has."""
    sources = sorted(p for p in args.data.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not sources:
        sys.exit(f"{args.data} has no pictures")
    folder.mkdir(parents=True)
    tasks = [(sources[i % len(sources)], folder / f"{i:07}.jpg", f"{args.seed} {i}") for i in range(max(args.pictures))]
    with multiprocessing.Pool(args.jobs) as pool:
        for _ in pool.imap_unordered(make, tasks, chunksize=64):
            pass
    return [target for _, target, _ in tasks]


def make_set(pictures, folder, seed):
    """Attachment 1 of the contest."""
    images = folder / "attachment1/ImageData"
    images.mkdir(parents=True)
    r = random.Random(seed)
    with open(folder / "attachment1/ImageWordData.csv", "w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table)
        rows.writerow(["image_id", "caption"])
        for picture in pictures:
            os.link(picture, images / picture.name)
            rows.writerow([picture.name, "".join(r.choices(WORDS, k=8))])


def bytes_below(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def grow(args, n, pictures):
    folder, work = args.work / f"set-{n}", args.work / f"work-{n}"
    make_set(pictures[:n], folder, args.seed)
    common = ["--data", folder, "--recipe", args.recipe, "--work", work, "--threads", args.jobs, "--timings"]
    row = {"n": n}
    for verb in ("features", "fit"):
        print(f"{n} pictures: {verb}", file=sys.stderr, flush=True)
        _, said, run = ran([args.tuwen, verb, *common])
        row[verb] = run | {"stages": thread_seconds(said), "disk": bytes_below(work) / 2**20}
    return row


def index(args, rows, n):
    """The index over n vectors in the shape of `rows`."""
    lists = min(4096, 2 ** round(np.log2(4 * n**0.5)))  # for more, more vectors would have to be learned from
    searches = [f"nprobe={max(1, lists // share)}" for share in PROBED]
    for factory in INDICES:
        if factory == "Flat" and n > LARGEST_FLAT:
            continue
        print(f"{n} vectors: {factory}", file=sys.stderr, flush=True)
        command = ["cargo", "bench", "--locked", "--bench", "vectors", "--", rows, str(n), factory.format(lists=lists),
                   *(searches if "lists" in factory else [])]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{factory}: {done.stderr}")
        yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))


def exponent(xs, ys):
    """Of n: the slope of a line through the logarithms; nothing is told from less than a hundredth."""
    return float(np.polyfit(np.log(xs), np.log(np.maximum(ys, 0.01)), 1)[0]) if len(xs) > 1 else float("nan")


MEASURES = [("features, s", lambda row: row["features"]["wall"]), ("features, peak MiB", lambda row: row["features"]["memory"]),
            ("features, disk MiB", lambda row: row["features"]["disk"]), ("fit, s", lambda row: row["fit"]["wall"]),
            ("fit, peak MiB", lambda row: row["fit"]["memory"])]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def page(args, grown, indices):
    ns = [row["n"] for row in grown]
    measures = list(MEASURES)
    for verb in ("features", "fit"):
        names = {name for row in grown for name in row[verb]["stages"]}
        # What takes no time has no growth.
        names = sorted(name for name in names if grown[-1][verb]["stages"].get(name, 0) >= 1)
        measures += [(f"{verb}: {name}, thread s", lambda row, v=verb, name=name: row[v]["stages"].get(name, 0)) for name in names]
    lines = ["# Growth", "", f"Written by `make growth`: {machine()}, {args.jobs} threads, Python {platform.python_version()}. "
             f"Pictures are seeded crops of those of `{args.data.name}`; `{args.recipe.name}`. The last column is the exponent "
             "of n that fits best.", "", "| | " + " | ".join(f"{n:,}" for n in ns) + " | n^ |", "|---" + "|---:" * (len(ns) + 1) + "|"]
    for title, of in measures:
        values = [of(row) for row in grown]
        lines.append(f"| {title} | " + " | ".join(map(number, values)) + f" | {exponent(ns, values):.2f} |")
    if indices:
        d = indices[0]["dimensions"]
        lines += ["", f"The index over vectors of {d} numbers, drawn with the means and deviations of the pictures' vectors after PCA. "
                  "Recall is the share of the true ten nearest among the ten found; a query is one thread's; the peak is the whole "
                  "process's while the index is made.", "",
                  "| vectors | index | search | learn, s | add, s | bytes a vector | peak MiB | query, ms | recall@10 |",
                  "|---:|---|---|---:|---:|---:|---:|---:|---:|"]
        lines += [f"| {i['n']:,} | {i['factory']} | {i['search']} | {number(i['learn_s'])} | {number(i['add_s'])} | "
                  f"{i['bytes a vector']} | {number(i['peak_mib'])} | {i['query_ms']:.2f} | {i['recall']:.3f} |" for i in indices]
    return "\n".join([*lines, "", "![time and memory against the number of pictures](plots/growth.svg)", ""])


def plot(grown, path):
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "growth"  # the same bytes for the same figures
    from matplotlib import pyplot
    figure, both = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axes, unit in zip(both, (", s", " MiB")):
        for title, of in MEASURES:
            if title.endswith(unit):
                axes.plot([row["n"] for row in grown], [of(row) for row in grown], "o-", label=title.removesuffix(unit))
        axes.set(xscale="log", yscale="log", xlabel="pictures", ylabel=unit.strip(", "))
        axes.grid(alpha=0.3)
        axes.legend()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of pictures; folders in it count, too")
    parser.add_argument("--tuwen", type=Path, required=True, help="the program")
    parser.add_argument("--out", type=Path, required=True, help="folder of GROWTH.md, growth.json and plots/")
    parser.add_argument("--work", type=Path, required=True, help="a folder that is not there yet, for pictures and features")
    parser.add_argument("--recipe", type=Path, default=ROOT / "experiments/card.toml")
    parser.add_argument("--pictures", type=int, nargs="+", default=[1000, 8000, 50_000, 200_000],
                        help="sizes of the sets")
    parser.add_argument("--vectors", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000], help="sizes of the index")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="threads")
    parser.add_argument("--seed", type=int, default=2024)
    args = parser.parse_args()
    args.tuwen, args.data, args.work, args.recipe = (p.resolve() for p in (args.tuwen, args.data, args.work, args.recipe))
    if args.work.exists():
        sys.exit(f"{args.work} is there already: remove it, or name another folder")
    args.out.mkdir(parents=True, exist_ok=True)
    pictures = make_pictures(args, args.work / "pictures")
    grown, indices = [], []

    def write(unfinished="\nNot finished.\n"):
        (args.out / "GROWTH.md").write_text(page(args, grown, indices) + unfinished, encoding="utf-8")
        (args.out / "growth.json").write_text(json.dumps({"pictures": grown, "vectors": indices}, indent=1) + "\n")
        plot(grown, args.out / "plots/growth.svg")

    for n in sorted(args.pictures):
        grown.append(grow(args, n, pictures))
        write()
    rows = next((args.work / f"work-{max(args.pictures)}/features").glob("*/*/attachment1-*.safetensors"))
    for n in sorted(args.vectors):
        for done in index(args, rows, n):
            indices.append(done)
            write()
    write(unfinished="")
    print((args.out / "GROWTH.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
