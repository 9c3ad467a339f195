"""How fast tuwen is beside the usual Python pipeline, stage by stage, in one run on one machine.

    pip install -r bench-requirements.txt
    python bench.py --data FLICKR8K_CN --tuwen ../../target/release/tuwen --out ..

Both sides work on the same pictures and captions, or on matrices of the same shape, with as many threads. They take turns;
a ratio is the median of the ratios of the turns. Writes BENCH.md and bench.json, and names the stages whose ratio fell by
more than 15 % against the bench.json that was there. VLFeat (Debian: libvlfeat1) is compared with where it is installed.
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

ROOT = Path(__file__).resolve().parents[2]
SLOWER = 0.85  # Of the ratio that was.
STEP, CELL = 4, 6  # Of the grid of dense SIFT, in pixels.
CELLS = (4, 6, 8, 10)  # Of the grid of colour statistics.


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


def opencv_dense(picture):
    """Cells of OpenCV's SIFT are 3 sigma wide, and a keypoint's size is 2 sigma."""
    keypoints = [cv2.KeyPoint(x + 1.5 * CELL, y + 1.5 * CELL, CELL / 1.5, 0) for x, y in corners(picture, CELL)]
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


def fisher(gmm, pictures):
    """Perronnin, Sanchez & Mensink 2010: gradients of the means and of the variances."""
    result, weights = [], np.sqrt(gmm.weights_)[:, None]
    deviations = np.sqrt(gmm.covariances_)
    for d in pictures:
        q = gmm.predict_proba(d).astype(np.float32)
        s0, s1, s2 = q.sum(axis=0)[:, None], q.T @ d, q.T @ d**2
        means = (s1 - s0 * gmm.means_) / (weights * deviations)
        variances = (s2 - 2 * s1 * gmm.means_ + s0 * (gmm.means_**2 - gmm.covariances_)) / (
            np.sqrt(2) * weights * gmm.covariances_)
        row = np.concatenate([means.ravel(), variances.ravel()]) / len(d)
        result.append(np.sign(row) * np.sqrt(np.abs(row)))
    return pipeline.unit(np.array(result, np.float32))


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

    def k_means():
        return KMeans(shape["words"], n_init=1, random_state=0).fit(sample)

    def tf_idf():
        weights = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True, dtype=np.float32)
        return weights.fit_transform(words)

    colours = threads(colour, paths)
    grays = [g for _, g in colours]
    few = shape["dense pictures"]
    rooted = [pipeline.rootsift(d) for d in sift()]
    sample = np.concatenate(rooted)[:shape["sample"]]
    centroids = k_means().cluster_centers_
    vlads = pipeline.vlad(rooted, centroids)
    dense = np.array_split(draw((shape["dense descriptors"], 64), np.float32), few)
    mixture = GaussianMixture(shape["words"], covariance_type="diag", max_iter=3, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # It has not converged, and need not.
        mixture.fit(dense[0])
    words = processes(pipeline.segment, captions)
    sparse = tf_idf()
    x, y = (draw((shape["CCA pairs"], d), np.float32) for d in (shape["PCA"], shape["LSA"]))
    gallery, queries = (draw((n, shape["search dimensions"]), np.float32) for n in (shape["gallery"], shape["queries"]))
    # Of unrelated sides no direction would converge.
    small_x = draw((shape["small CCA pairs"], shape["small CCA dimensions"]))
    small_y = small_x * np.linspace(1, 0.1, small_x.shape[1]) + 0.5 * draw(small_x.shape)
    components = shape["CCA dimensions"]
    vl = vlfeat_dense()
    return [
        ("decode", lambda: threads(colour, paths), "imread, cvtColor; joblib's threads"),
        ("decode + SIFT", sift, "imread, SIFT.detectAndCompute; joblib"),
        ("ORB", lambda: threads(orb, grays), "ORB.detectAndCompute; joblib's threads"),
        ("dense SIFT", lambda: threads(opencv_dense, grays[:few]), "SIFT.compute on the grid; joblib's threads"),
        ("dense SIFT", vl and (lambda: threads(vl, grays[:few])),
         "VLFeat's dsift, flat window; joblib's threads"),
        ("colour", lambda: threads(colour_statistics, [c for c, _ in colours[:few]]), "sepFilter2D; joblib's threads"),
        ("codebook", k_means, "sklearn KMeans"),
        ("VLAD", lambda: pipeline.vlad(rooted, centroids), "NumPy"),
        ("Fisher", lambda: fisher(mixture, dense), "NumPy, responsibilities by sklearn"),
        ("PCA", lambda: PCA(shape["PCA"], whiten=True, svd_solver="randomized", random_state=0).fit_transform(vlads),
         "sklearn, randomised"),
        ("segmentation", lambda: processes(pipeline.segment, captions), "jieba; joblib"),
        ("TF-IDF", tf_idf, "sklearn"),
        ("LSA", lambda: TruncatedSVD(shape["LSA"], random_state=0).fit_transform(sparse), "sklearn TruncatedSVD"),
        ("CCA", lambda: cca_by_svd(x, y, components), "NumPy, f64 as here: SVD of each side"),
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
        self.shape = json.loads(self.answer())

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
    rows = {}
    for name, other, does in stages(args.data, rust.shape, args.jobs):
        title = f"{name}: {does}"
        print(title, file=sys.stderr, flush=True)
        if other is None:
            rows[title] = {"stage": name, "peer": does, "reason": "it is not installed"}
            continue
        turns = 1 if name == "small CCA" else args.turns  # It takes minutes.
        with warnings.catch_warnings(action="ignore"):  # What has not converged in its rounds says so each time.
            ours, alone, theirs = turn_about(turns, lambda: rust.seconds(name, args.jobs), lambda: rust.seconds(name, 1),
                                             lambda: seconds(other))
        rows[title] = {"stage": name, "peer": does, "tuwen": median(ours), "python": median(theirs),
                       **ratios(ours, theirs), "threads": median(a / o for a, o in zip(alone, ours))}
    rust.process.stdin.close()
    return rust.shape, rows


def ratios(ours, theirs):
    each = sorted(t / o for o, t in zip(ours, theirs))
    return {"ratio": median(each), "lowest": each[0], "highest": each[-1]}


# --- The whole job ---------------------------------------------------------------------------------------------------

def ran(command):
    """What it printed, what it said, wall and CPU seconds, MiB of its largest process."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=err, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        out, err = out.read(), err.read()
    if process.returncode:
        sys.exit(f"{command}: {err}")
    return out, err, {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024}


def job_of_tuwen(args, threads):
    with tempfile.TemporaryDirectory() as work:
        _, said, run = ran([args.tuwen, "evaluate", "--data", args.data, "--recipe", "experiments/card.toml", "--work",
                            work, "--threads", threads, "--timings"])
    spent = {}
    for name in ("decoding pictures", "keypoints (OpenCV)"):
        line = next(line for line in said.splitlines() if line.startswith(name))
        spent[name] = float(line[len(name):].split()[0])
    return run | {"SIFT": sum(spent.values())}


def job_of_python(args):
    out, _, run = ran([sys.executable, ROOT / "experiments/peers/pipeline.py", "--data", args.data, "--jobs", args.jobs])
    done = json.loads(out)
    # CPU and memory of all its processes, which wait4 does not tell.
    return run | {"cpu": done["stages"]["all"]["cpu_s"], "SIFT": done["stages"]["decode + sift"]["cpu_s"],
                  "memory": done["peak_memory_mib"]}


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


def page(args, shape, stages, job):
    def number(value):
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"

    def ratio(row):
        return f"**{number(row['ratio'])}** ({number(row['lowest'])}–{number(row['highest'])})"

    lines = ["# Beside the usual Python", "", f"Written by `make bench`: {machine()}, {args.jobs} threads; Python "
             f"{platform.python_version()}, " + ", ".join(f"{p} {version(p)}" for p in PACKAGES) + ". "
             f"Ratios are Python's seconds over tuwen's: the median of {args.turns} turns, and the lowest and highest; "
             "seconds are medians.", "",
             "| stage | beside | tuwen, s | the other, s | ratio | 1 thread / all |", "|---|---|---:|---:|---:|---:|"]
    for row in stages.values():
        cells = [row["stage"], row["peer"]]
        cells += ["not run: " + row["reason"], "", "", ""] if "reason" in row else [
            number(row["tuwen"]), number(row["python"]), ratio(row), f"{row['threads']:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Of what: " + ", ".join(f"{name} {n:,}" for name, n in shape.items()) + ".", ""]
    if job:
        lines += [f"The card recipe on `{args.data.name}` ({args.jobs_turns} turns): `tuwen evaluate`, which also chooses "
                  "its settings, and `pipeline.py`.", "", "| | tuwen | Python | ratio |", "|---|---:|---:|---:|"]
        lines += [f"| {title}, {row['unit']} | {number(row['tuwen'])} | {number(row['python'])} | {ratio(row)} |"
                  for title, row in job.items()]
        lines += ["", f"On one thread tuwen takes {job['whole job']['threads']:.2f} times as long."]
    return "\n".join(lines) + "\n"


def slower(before, now):
    """Rows whose ratio fell by more than SLOWER allows."""
    for title, row in now.items():
        was = before.get(title, {}).get("ratio")
        if was and "ratio" in row and row["ratio"] < SLOWER * was:
            yield f"{title}: {was:.2f} times as fast as the other before, {row['ratio']:.2f} now"


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
        shape, stages = compare_stages(args)
    job = compare_job(args) if args.jobs_turns else {}
    text, kept = page(args, shape, stages, job), args.out / "bench.json"
    rows = stages | job
    before = json.loads(kept.read_text())["rows"] if kept.exists() else {}
    (args.out / "BENCH.md").write_text(text, encoding="utf-8")
    kept.write_text(json.dumps({"machine": machine(), "shape": shape, "rows": rows}, indent=1) + "\n")
    print(text)
    worse = list(slower(before, rows))
    print("\n".join(["Slower than before:", *worse]) if worse else "Nothing is slower than before by more than 15 %.")


if __name__ == "__main__":
    main()
