"""The usual Python way of doing the same job, to compare speed, memory and recall with (Linux only: reads /proc).

    pip install --require-hashes -r bench-requirements.txt
    python pipeline.py --data FLICKR8K_CN > result.json

SIFT (OpenCV), VLAD, whitening PCA; jieba, TF-IDF, LSA; regularised CCA; FAISS. All is learned on the training split.
Each test caption asks for its picture, each picture for any of its five captions; ties count at mid-rank.
"""

import argparse
import json
import platform
import resource
import sys
import threading
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import cv2
import faiss
import jieba
import numpy as np
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

PACKAGES = ("faiss-cpu", "jieba", "joblib", "numpy", "opencv-python-headless", "scikit-learn")
SPLITS = ("train", "val", "test")
CODEBOOK_SAMPLE = 100_000
TIE = 1e-6  # Scores closer than this are equal: equal captions differ by rounding alone.
CHUNK = 64


class Meter:
    """Wall and CPU seconds of each stage; peak memory of this process and its workers together."""

    def __init__(self):
        self.stages, self.peak_kib = {}, 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while True:
            self.peak_kib = max(self.peak_kib, family_kib())
            time.sleep(0.25)

    @contextmanager
    def stage(self, name):
        wall, cpu = time.perf_counter(), cpu_seconds()
        yield
        get_reusable_executor().shutdown(wait=True)  # getrusage counts a worker's time once it has ended.
        self.stages[name] = {"wall_s": round(time.perf_counter() - wall, 3), "cpu_s": round(cpu_seconds() - cpu, 3)}
        print(f"{name}: {self.stages[name]}", file=sys.stderr, flush=True)


def cpu_seconds():
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usages)


def family_kib(pid="self"):
    """Memory of this process and all its descendants; pages they share are counted once (proportional set size)."""
    try:
        own = int(Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0])
        children = [c for task in Path(f"/proc/{pid}/task").glob("*/children") for c in task.read_text().split()]
    except (OSError, IndexError):
        return 0  # It has just ended.
    return own + sum(map(family_kib, children))


def read_data(root, limit):
    """Splits as lists of picture names, and the captions of each picture."""
    captions = {}
    for line in (root / "captions/flickr8kzhc.caption.txt").read_text(encoding="utf-8").splitlines():
        key, caption = line.split(" ", 1)
        captions.setdefault(key.split(".jpg#")[0], []).append(caption)
    splits = {s: (root / f"captions/flickr8k{s}.txt").read_text().split()[:limit] for s in SPLITS}
    return splits, captions


def in_chunks(function, items, jobs, *arguments):
    chunks = [items[i : i + CHUNK] for i in range(0, len(items), CHUNK)]
    done = Parallel(n_jobs=jobs)(delayed(function)(chunk, *arguments) for chunk in chunks)
    return [result for chunk in done for result in chunk]


def extract(paths, features, contrast):
    cv2.setNumThreads(1)  # One process a core already.
    sift = cv2.SIFT_create(nfeatures=features, contrastThreshold=contrast)
    result = []
    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise ValueError(f"cannot decode {path}")
        _, descriptors = sift.detectAndCompute(picture, None)
        # OpenCV's SIFT values are whole numbers up to 255: bytes lose nothing and take a quarter of the memory.
        result.append(np.zeros((0, 128), np.uint8) if descriptors is None else descriptors.astype(np.uint8))
    return result


def rootsift(descriptors):
    d = descriptors.astype(np.float32)
    return np.sqrt(d / np.maximum(d.sum(axis=1, keepdims=True), 1e-12))


def fit_codebook(pictures, clusters, seed):
    rows = np.concatenate(pictures)
    rng = np.random.default_rng(seed)
    sample = rows[rng.choice(len(rows), min(CODEBOOK_SAMPLE, len(rows)), replace=False)]
    return KMeans(clusters, random_state=seed).fit(rootsift(sample)).cluster_centers_


def vlad(pictures, centroids):
    """n×(k·128): residual sums, signed square root, L2."""
    k, half_norms, result = len(centroids), 0.5 * (centroids**2).sum(axis=1), []
    for d in pictures:
        nearest = (d @ centroids.T - half_norms).argmax(axis=1)
        member = (nearest == np.arange(k)[:, None]).astype(np.float32)  # k×m
        sums = (member @ d - member.sum(axis=1, keepdims=True) * centroids).ravel()
        result.append((np.sign(sums) * np.sqrt(np.abs(sums))).astype(np.float32))
    return unit(np.array(result))


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def segment(captions):
    jieba.setLogLevel("ERROR")
    return [[word for word in jieba.lcut(caption) if word.strip()] for caption in captions]


def fit_cca(x, y, dimensions, reg):
    """Projections (mean, weights) of both sides; each direction is weighted by its canonical correlation."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x, y = x - mean_x, y - mean_y

    def whitener(z):
        c = z.T @ z / len(z)
        c[np.diag_indices_from(c)] += reg * c.diagonal().mean()
        return np.linalg.inv(np.linalg.cholesky(c)).T

    wx, wy = whitener(x), whitener(y)
    u, rho, vt = np.linalg.svd(wx.T @ (x.T @ y / len(x)) @ wy)
    u, rho, v = u[:, :dimensions], rho[:dimensions], vt[:dimensions].T
    return (mean_x, wx @ u * rho), (mean_y, wy @ v * rho)


def project(side, rows):
    mean, weights = side
    return np.ascontiguousarray(unit((rows - mean) @ weights), np.float32)


def mid_ranks(scores, right):
    """scores, right: queries×items. The rank of the best right item among the wrong ones."""
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    wrong = ~right
    above = (wrong & (scores > best + TIE)).sum(axis=1)
    tied = (wrong & (np.abs(scores - best) <= TIE)).sum(axis=1)
    return 1 + above + 0.5 * tied


def summary(ranks):
    recalls = {f"R@{k}": round(100 * float((ranks <= k).mean()), 2) for k in (1, 5, 10)}
    return recalls | {"medR": float(np.median(ranks))}


def evaluate(images, texts, owner):
    scores = images @ texts.T
    right = owner[None, :] == np.arange(len(images))[:, None]
    result = {"i2t": summary(mid_ranks(scores, right)), "t2i": summary(mid_ranks(scores.T, right.T))}
    six = [result[d][f"R@{k}"] for d in ("i2t", "t2i") for k in (1, 5, 10)]
    return result | {"mR": round(sum(six) / 6, 2), "gallery": {"images": len(images), "captions": len(texts)}}


def run(args, meter):
    splits, captions = read_data(args.data, args.limit)
    names = [name for split in SPLITS for name in splits[split]]
    owner = np.array([i for i, name in enumerate(names) for _ in captions[name]])  # The picture of each caption.
    sentences = [caption for name in names for caption in captions[name]]
    train = len(splits["train"])
    in_train = owner < train

    with meter.stage("decode + sift"):
        pictures = in_chunks(extract, [args.data / f"images/{n}.jpg" for n in names], args.jobs, args.features, args.contrast)
    with meter.stage("k-means"):
        centroids = fit_codebook(pictures[:train], args.clusters, args.seed)
    with meter.stage("vlad"):
        encoded = vlad(map(rootsift, pictures), centroids)
    with meter.stage("pca"):
        # Each clamped, so that a --limit trial has more rows than dimensions.
        pca = PCA(min(args.pca, train - 1), whiten=True, svd_solver="randomized", random_state=args.seed)
        x = pca.fit(encoded[:train]).transform(encoded)
    with meter.stage("jieba"):
        words = in_chunks(segment, sentences, args.jobs)
    with meter.stage("tf-idf"):
        tfidf = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True, dtype=np.float32)
        tfidf.fit([w for w, inside in zip(words, in_train) if inside])
        sparse = tfidf.transform(words)
    with meter.stage("lsa"):
        lsa = TruncatedSVD(min(args.text_dims, sparse.shape[1] - 1), random_state=args.seed)
        y = lsa.fit(sparse[in_train]).transform(sparse)
    with meter.stage("cca"):
        # Each caption is a pair of its own: its picture's row comes once for each.
        sides = fit_cca(x[owner[in_train]], y[in_train], args.cca_dims, args.reg)
    with meter.stage("project + search"):
        first = len(names) - len(splits["test"])
        asked = owner >= first
        images, texts = project(sides[0], x[first:]), project(sides[1], y[asked])
        for queries, gallery in ((texts, images), (images, texts)):
            index = faiss.IndexFlatIP(gallery.shape[1])
            index.add(gallery)
            index.search(queries, 10)
    with meter.stage("evaluate"):
        result = evaluate(images, texts, owner[asked] - first)
    counts = {"pictures": len(names), "captions": len(sentences), "descriptors": sum(map(len, pictures))}
    return counts | {"words": len(tfidf.idf_)}, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with images/ and captions/")
    parser.add_argument("--limit", type=int, help="only the first N pictures of each split, for a trial")
    sizes = {"jobs": 2, "features": 1000, "clusters": 64, "pca": 512, "text-dims": 768, "cca-dims": 32, "seed": 0}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--reg", type=float, default=1.0, help="ridge, in units of the mean variance")
    parser.add_argument("--contrast", type=float, default=0.01, help="contrast threshold of SIFT")
    args = parser.parse_args()
    faiss.omp_set_num_threads(args.jobs)
    meter = Meter()
    with threadpool_limits(args.jobs), meter.stage("all"):
        counts, result = run(args, meter)
    print(json.dumps({
        "settings": vars(args) | {"data": args.data.name},
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "counts": counts,
        "stages": meter.stages,
        "peak_memory_mib": round(meter.peak_kib / 1024),
        "result": result,
    }, indent=1))


if __name__ == "__main__":
    main()
