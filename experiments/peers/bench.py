"""How fast tuwen is beside the usual Python pipeline, stage by stage, in one run on one machine.

    pip install --require-hashes -r bench-requirements.txt
    python bench.py --data FLICKR8K_CN --tuwen ../../target/release/tuwen --out ..

Both sides work on the same pictures and captions, or on matrices of the same shape, with as many threads. They take turns;
a ratio is the median of the ratios of the turns. Writes BENCH.md and bench.json, and names the stages whose ratio fell by
more than 15 % against the bench.json that is committed. VLFeat (Debian: libvlfeat1) is compared with where it is installed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from statistics import median

import cv2
import faiss
import numpy as np
from joblib import Parallel, delayed
from sklearn.cluster import KMeans
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

import pipeline
from run import ROOT, ran, thread_seconds

SLOWER = 0.85  # Of the ratio that was.
STEP, CELL = 4, 6  # Of the grid of dense SIFT, in pixels.
CELLS = (4, 6, 8, 10)  # Of the grids of colour statistics, and of dense SIFT for Fisher vectors.
ROUNDS = 10  # Of Lloyd's algorithm, as many as tuwen's.
SLOWEST = "small CCA"  # Has one turn.


# --- The Python side -------------------------------------------------------------------------------------------------

def gray(path):
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


def colour(path):
    bgr = cv2.imread(str(path))
    return bgr, cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)


def orb(picture):
    return cv2.ORB_create(nfeatures=500).detectAndCompute(picture, None)[1]


def corners(picture, cell):
    """Centres of the first of the 4x4 cells of each patch."""
    height, width = (range(0, side - 3 * cell, STEP) for side in picture.shape[:2])
    return [(x, y) for y in height for x in width]


def opencv_dense(picture, cells=(CELL,)):
    """Cells of OpenCV's SIFT are 3 sigma wide, and a keypoint's size is 2 sigma."""
    keypoints = [cv2.KeyPoint(x + 1.5 * cell, y + 1.5 * cell, cell / 1.5, 0) for cell in cells
                 for x, y in corners(picture, cell)]
    return pipeline.rootsift(cv2.SIFT_create().compute(picture, keypoints)[1])


def vlfeat_dense():
    """None where the library is not installed."""
    sys.path.append(str(ROOT / "tests/golden"))
    try:
        from make_vlfeat import described, smoothed
    except OSError:
        return None
    return lambda picture: pipeline.rootsift(described(smoothed(picture.astype(np.float32), CELL), CELL, STEP)[1])


def colour_statistics(bgr):
    """Mean and deviation of each channel in the 4x4 cells of patches, under a triangle."""
    values, rows = bgr.astype(np.float32) / 255, []
    for cell in CELLS:
        window = 1 - np.abs(np.arange(1 - cell, cell)) / cell
        window /= window.sum()
        mean = cv2.sepFilter2D(values, -1, window, window, borderType=cv2.BORDER_REPLICATE)
        square = cv2.sepFilter2D(values**2, -1, window, window, borderType=cv2.BORDER_REPLICATE)
        both = np.concatenate([mean, np.sqrt(np.maximum(square - mean**2, 0))], axis=2)
        x, y = np.array(corners(bgr, cell)).T
        offsets = cell * np.arange(4)
        rows.append(both[(y[:, None] + offsets)[:, :, None], (x[:, None] + offsets)[:, None, :]].reshape(len(x), -1))
    return np.concatenate(rows)


def fisher(gmm, d):
    """Perronnin, Sanchez & Mensink 2010: gradients of the means and of the variances."""
    weights, deviations = np.sqrt(gmm.weights_)[:, None], np.sqrt(gmm.covariances_)
    q = gmm.predict_proba(d).astype(np.float32)
    s0, s1, s2 = q.sum(axis=0)[:, None], q.T @ d, q.T @ d**2
    means = (s1 - s0 * gmm.means_) / (weights * deviations)
    variances = (s2 - 2 * s1 * gmm.means_ + s0 * (gmm.means_**2 - gmm.covariances_)) / (
        np.sqrt(2) * weights * gmm.covariances_)
    row = np.concatenate([means.ravel(), variances.ravel()]) / len(d)
    return (np.sign(row) * np.sqrt(np.abs(row))).astype(np.float32)


def cca_by_svd(x, y, components):
    """Bjorck & Golub 1973: the correlations are the singular values between orthonormal bases of both sides."""
    sides = [np.linalg.svd(z.astype(np.float64) - z.mean(axis=0), full_matrices=False) for z in (x, y)]
    u, rho, vt = np.linalg.svd(sides[0].U.T @ sides[1].U)
    return [side.Vh.T / side.S @ w[:, :components] for side, w in zip(sides, (u, vt.T))], rho


def search(gallery, queries):
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(gallery)
    return index.search(queries, 10)


def stages(data, shape, jobs):
    """Stages of benches/stages.rs, in its sizes: (its name there, the other side, what that does)."""
    splits, captions = pipeline.read_data(data, None)
    paths = [data / f"images/{name}.jpg" for name in splits["train"][:shape["pictures"]]]
    captions = [caption for name in splits["train"] for caption in captions[name]]
    draw = np.random.default_rng(0).standard_normal

    def threads(function, items):  # Where OpenCV and VLFeat let go of the interpreter's lock.
        return Parallel(n_jobs=jobs, prefer="threads")(delayed(function)(item) for item in items)

    def processes(function, items, *arguments):
        return pipeline.in_chunks(function, items, jobs, *arguments)

    def sift():
        return processes(pipeline.extract, paths, 1000, 0.01)

    def k_means(rounds=300):
        return KMeans(shape["words"], n_init=1, max_iter=rounds, random_state=0).fit(sample)

    def encoded(function, items):  # One picture a thread, and one thread a product.
        with threadpool_limits(1):
            return pipeline.unit(np.array(threads(function, items)))

    def truncated_svd():  # As many rounds and columns more as tuwen.
        return TruncatedSVD(shape["LSA"], n_iter=4, n_oversamples=16, random_state=0).fit_transform(sparse)

    def pca():
        return PCA(shape["PCA"], whiten=True, svd_solver="randomized", iterated_power=4, n_oversamples=16,
                   random_state=0).fit_transform(vlads)

    def tf_idf():
        weights = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True, dtype=np.float32)
        return weights.fit_transform(words)

    colours = threads(colour, paths)
    grays = [g for _, g in colours]
    few = shape["dense pictures"]
    rooted = [pipeline.rootsift(d) for d in sift()]
    sample = np.concatenate(rooted)[:shape["sample"]]
    converged, cut = k_means(), k_means(ROUNDS)
    quality = {"sklearn": converged.inertia_ / len(sample), f"sklearn, {ROUNDS} rounds": cut.inertia_ / len(sample)}
    centroids = converged.cluster_centers_
    vlads = pipeline.vlad(rooted, centroids)
    dense = threads(lambda g: opencv_dense(g, CELLS), grays[:few])
    reduced = PCA(64, svd_solver="covariance_eigh").fit(np.concatenate(dense)[:shape["sample"]])
    dense = [reduced.transform(d) for d in dense]
    mixture = GaussianMixture(shape["words"], covariance_type="diag", max_iter=3, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # It has not converged, and need not.
        mixture.fit(np.concatenate(dense)[:: few // 10])
    words = processes(pipeline.segment, captions)
    sparse = tf_idf()
    x, y = (draw((shape["CCA pairs"], d), np.float32) for d in (shape["PCA"], shape["LSA"]))
    wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
    gallery, queries = (draw((n, shape["search dimensions"]), np.float32) for n in (shape["gallery"], shape["queries"]))
    # Of unrelated sides no direction would converge.
    small_x = draw((shape["small CCA pairs"], shape["small CCA dimensions"]))
    small_y = small_x * np.linspace(1, 0.1, small_x.shape[1]) + 0.5 * draw(small_x.shape)
    components = shape["CCA dimensions"]
    vl = vlfeat_dense()
    counts = {"descriptors": sum(map(len, rooted)), "dense descriptors": sum(map(len, dense))}
    return {"k-means": quality, "shape": counts}, [
        ("decode", lambda: threads(colour, paths), "imread, cvtColor; joblib's threads"),
        ("decode + SIFT", sift, "imread, SIFT.detectAndCompute; joblib"),
        ("ORB", lambda: threads(orb, grays), "ORB.detectAndCompute; joblib's threads"),
        ("dense SIFT", lambda: threads(opencv_dense, grays[:few]), "SIFT.compute on the grid; joblib's threads"),
        ("dense SIFT", vl and (lambda: threads(vl, grays[:few])),
         "VLFeat's dsift, flat window; joblib's threads"),
        ("colour", lambda: threads(colour_statistics, [c for c, _ in colours[:few]]), "sepFilter2D; joblib's threads"),
        ("codebook", k_means, "sklearn KMeans"),
        ("codebook", lambda: k_means(ROUNDS), f"sklearn KMeans, {ROUNDS} rounds"),
        ("VLAD", lambda: encoded(lambda d: pipeline.vlad([d], centroids)[0], rooted), "NumPy; joblib's threads"),
        ("Fisher", lambda: encoded(lambda d: fisher(mixture, d), dense),
         "NumPy, responsibilities by sklearn; joblib's threads"),
        ("PCA", pca, "sklearn, randomised"),
        ("segmentation", lambda: processes(pipeline.segment, captions), "jieba; joblib"),
        ("TF-IDF", tf_idf, "sklearn"),
        ("LSA", truncated_svd, "sklearn TruncatedSVD"),
        ("CCA", lambda: cca_by_svd(x, y, components), "NumPy, f64 as here: SVD of each side"),
        ("CCA", lambda: pipeline.fit_cca(wide_x, wide_y, components, 1.0), "NumPy, f64 as here: Cholesky, SVD"),
        ("CCA", lambda: pipeline.fit_cca(x, y, components, 1.0), "NumPy, f32: Cholesky, SVD"),
        ("small CCA", lambda: CCA(components).fit(small_x, small_y), "sklearn CCA"),
        ("index and search", lambda: search(gallery, queries), "faiss-cpu, IndexFlatIP"),
    ]


class Rust:
    """Runs stages of benches/stages.rs."""

    def __init__(self, data, jobs):
        command = ["cargo", "bench", "--locked", "--bench", "stages", "--", data.resolve()]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"RAYON_NUM_THREADS": str(jobs)}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.told = json.loads(self.answer())
        self.shape = self.told["shape"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"benches/stages.rs ended with {self.process.wait()}")
        return line

    def seconds(self, stage, threads):
        print(threads, stage, file=self.process.stdin, flush=True)
        return float(self.answer())


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def turn_about(turns, *sides):
    """Seconds of each side in each turn; who begins changes."""
    taken = [[] for _ in sides]
    for turn in range(turns):
        order = list(range(len(sides)))
        for side in order if turn % 2 == 0 else reversed(order):
            taken[side].append(sides[side]())
    return taken


def compare_stages(args):
    rust = Rust(args.data, args.jobs)
    rows, (told, pairs) = {}, stages(args.data, rust.shape, args.jobs)
    for name, other, does in pairs:
        title = f"{name}: {does}"
        print(title, file=sys.stderr, flush=True)
        if other is None:
            rows[title] = {"stage": name, "peer": does, "reason": "it is not installed"}
            continue
        turns = 1 if name == SLOWEST else args.turns
        with warnings.catch_warnings(action="ignore"):  # What has not converged in its rounds says so each time.
            ours, alone, theirs = turn_about(turns, lambda: rust.seconds(name, args.jobs), lambda: rust.seconds(name, 1),
                                             lambda: seconds(other))
        rows[title] = {"stage": name, "peer": does, "tuwen": median(ours), "python": median(theirs),
                       **ratios(ours, theirs), "threads": median(a / o for a, o in zip(alone, ours))}
    rust.process.stdin.close()
    return rust.told, told, rows


def ratios(ours, theirs):
    each = sorted(t / o for o, t in zip(ours, theirs))
    return {"ratio": median(each), "lowest": each[0], "highest": each[-1]}


# --- The whole job ---------------------------------------------------------------------------------------------------

def job_of_tuwen(args, threads):
    with tempfile.TemporaryDirectory() as work:
        _, said, run = ran([args.tuwen, "evaluate", "--data", args.data, "--recipe", "experiments/card.toml", "--work",
                            work, "--threads", threads, "--timings"])
    spent = thread_seconds(said)
    return run | {"SIFT": sum(spent[of] for of in ("decoding pictures", "scaling pictures", "keypoints (OpenCV)"))}


def job_of_python(args):
    out, _, run = ran([sys.executable, ROOT / "experiments/peers/pipeline.py", "--data", args.data, "--jobs", args.jobs])
    done = json.loads(out)
    # Of all its processes together.
    return run | {"SIFT": done["stages"]["decode + sift"]["cpu_s"], "memory": done["peak_memory_mib"]}


def compare_job(args):
    print("the whole job", file=sys.stderr, flush=True)
    ours, theirs = turn_about(args.jobs_turns, lambda: job_of_tuwen(args, args.jobs), lambda: job_of_python(args))
    alone = job_of_tuwen(args, 1)["wall"]
    rows = {}
    for title, unit, of in (("whole job", "s", lambda run: run["wall"]), ("whole job, CPU", "s", lambda run: run["cpu"]),
                            ("all but decoding and SIFT, CPU", "s", lambda run: run["cpu"] - run["SIFT"]),
                            ("peak memory", "MiB", lambda run: run["memory"])):
        o, t = ([of(run) for run in side] for side in (ours, theirs))
        rows[title] = {"unit": unit, "tuwen": median(o), "python": median(t), **ratios(o, t)}
    rows["whole job"]["threads"] = alone / rows["whole job"]["tuwen"]
    return rows


# --- What came out ---------------------------------------------------------------------------------------------------

PACKAGES = (*pipeline.PACKAGES, "scipy", "threadpoolctl")


def machine():
    with open("/proc/cpuinfo") as lines:
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {os.cpu_count()} cores"


def page(args, ours, theirs, stages, job):
    def number(value):
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"

    def ratio(row):
        return f"**{number(row['ratio'])}** ({number(row['lowest'])}–{number(row['highest'])})"

    lines = ["# Beside the usual Python", "", f"Written by `make bench`: {machine()}, {args.jobs} threads; Python "
             f"{platform.python_version()}, " + ", ".join(f"{p} {version(p)}" for p in PACKAGES) + ". "
             f"tuwen's OpenCV is {ours['OpenCV']}. Ratios are Python's seconds over tuwen's: the median of {args.turns} turns, and the lowest and highest; "
             "seconds are medians.", "",
             "| stage | beside | tuwen, s | the other, s | ratio | 1 thread / all |", "|---|---|---:|---:|---:|---:|"]
    for row in stages.values():
        cells = [row["stage"], row["peer"]]
        cells += ["not run: " + row["reason"], "", "", ""] if "reason" in row else [
            number(row["tuwen"]), number(row["python"]), ratio(row), f"{row['threads']:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    counts = ", ".join(f"{name} {n:,}" for name, n in ours["shape"].items())
    others = ", ".join(f"{name} {n:,}" for name, n in theirs["shape"].items())
    errors = ", ".join(f"{name} {error:.4f}" for name, error in ({"tuwen": ours["k-means"]} | theirs["k-means"]).items())
    lines += ["", f"Of what: {counts}; in Python {others}. The mean squared distance to the nearest word, each on its own "
              f"sample: {errors}. `{SLOWEST}` had one turn.", ""]
    if job:
        lines += [f"The card recipe on `{args.data.name}` ({args.jobs_turns} turns): `tuwen evaluate`, which also chooses "
                  "its settings, and `pipeline.py`.", "", "| | tuwen | Python | ratio |", "|---|---:|---:|---:|"]
        lines += [f"| {title}, {row['unit']} | {number(row['tuwen'])} | {number(row['python'])} | {ratio(row)} |"
                  for title, row in job.items()]
        lines += ["", f"On one thread tuwen takes {job['whole job']['threads']:.2f} times as long."]
    return "\n".join(lines) + "\n"


def committed():
    """The bench.json that the repository has; nothing where there is none."""
    command = ["git", "show", "HEAD:experiments/bench.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return {} if done.returncode else json.loads(done.stdout)


def slower(before, now):
    """What to say of rows whose ratio fell by more than SLOWER allows."""
    if not before:
        return "No bench.json is committed to compare with."
    if any(before[of] != now[of] for of in ("shape", "jobs")):
        return "The committed bench.json is of other sizes or threads: nothing is compared with it."
    worse = []
    for title, row in now["rows"].items():
        was = before["rows"].get(title, {}).get("ratio")
        if was and "ratio" in row and row.get("stage") != SLOWEST and row["ratio"] < SLOWER * was:
            worse.append(f"{title}: {was:.2f} times as fast as the other before, {row['ratio']:.2f} now")
    return "\n".join(["Slower than what is committed:", *worse]) if worse else (
        "Nothing is slower by more than 15 % than what is committed.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Flickr8k-CN: images/ and captions/")
    parser.add_argument("--tuwen", type=Path, required=True, help="the program")
    parser.add_argument("--out", type=Path, required=True, help="folder of BENCH.md and bench.json")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="threads and processes")
    parser.add_argument("--turns", type=int, default=5, help="of the stages")
    parser.add_argument("--jobs-turns", type=int, default=3, help="of the whole job; 0 leaves it out")
    args = parser.parse_args()
    args.tuwen, args.data = args.tuwen.resolve(), args.data.resolve()
    if not (args.data / "captions").is_dir():
        sys.exit(f"{args.data} is not Flickr8k-CN, which has images/ and captions/: `make bench DATA=its-folder`")
    cv2.setNumThreads(1)  # joblib's threads use the cores already.
    faiss.omp_set_num_threads(args.jobs)
    with threadpool_limits(args.jobs):
        ours, theirs, rows = compare_stages(args)
    job = compare_job(args) if args.jobs_turns else {}
    text = page(args, ours, theirs, rows, job)
    now = {"machine": machine(), "jobs": args.jobs, "shape": ours["shape"], "rows": rows | job}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "BENCH.md").write_text(text, encoding="utf-8")
    (args.out / "bench.json").write_text(json.dumps(now, indent=1) + "\n")
    print(text)
    print(slower(committed(), now))


if __name__ == "__main__":
    main()
