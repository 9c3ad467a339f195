"""Figures made by other programs, for our tests to agree with: OpenCV, scikit-learn, scikit-image, SciPy, NumPy,
FAISS, jieba. (VLFeat's: make_vlfeat.py.)

    python tests/golden/make.py

Inputs are stored as f32 and every reference is computed from those f32 values in f64, so that the only rounding a test
meets is its own. Signs of eigenvectors are fixed: the entry of largest magnitude is positive. README.md has tolerances.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import cv2
import faiss
import jieba
import numpy as np
import scipy.linalg
import skimage.color
from safetensors.numpy import save as to_bytes
from scipy.fft import dctn
from skimage.feature import fisher_vector, hog, local_binary_pattern
from sklearn.cluster import KMeans
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.mixture import GaussianMixture

HERE = Path(__file__).resolve().parent
PHOTO = HERE.parent / "fixtures/pictures/photo.png"
FIGURES = {}  # Scalars, written to versions.json.


def save(name, **arrays):
    data = to_bytes({k: np.ascontiguousarray(v) for k, v in arrays.items()})
    (HERE / f"{name}.safetensors").write_bytes(data)


def save_json(name, value):
    text = json.dumps(value, ensure_ascii=False, indent=1)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def signs(columns):
    """±1 for each column, making its entry of largest magnitude positive."""
    return np.sign(columns[np.abs(columns).argmax(axis=0), np.arange(columns.shape[1])])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


# --- Local features --------------------------------------------------------------------------------------------------

def features():
    rgb = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    for name, detector in (("sift", cv2.SIFT_create(nfeatures=200)), ("orb", cv2.ORB_create(nfeatures=200))):
        found, descriptors = detector.detectAndCompute(luma, None)
        arrays = {
            "luma": luma,
            # x, y, size, angle, response
            "keypoints": np.array([(*k.pt, k.size, k.angle, k.response) for k in found], np.float32),
            "octaves": np.array([k.octave for k in found], np.int64),
            "descriptors": descriptors.astype(np.uint8),
        }
        assert (arrays["descriptors"] == descriptors).all()  # SIFT's are whole numbers too.
        if name == "sift":
            d = descriptors.astype(np.float64)
            arrays["rootsift"] = np.sqrt(d / d.sum(axis=1, keepdims=True)).astype(np.float32)
        FIGURES[f"{name}_keypoints"] = len(found)
        save(name, **arrays)


def colour():
    """Mean and deviation of each channel in the 4x4 cells of patches, under a triangle of half-width `cell`."""
    rgb = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)[40:80, 50:110]
    values = rgb.astype(np.float64) / 255
    height, width = rgb.shape[:2]
    arrays = {"rgb": rgb.reshape(height, -1)}
    step = 8
    for cell in (4, 7):
        rows = []
        for top in range(0, height - 3 * cell, step):
            for left in range(0, width - 3 * cell, step):
                row = []
                for y in range(top, top + 4 * cell, cell):
                    for x in range(left, left + 4 * cell, cell):
                        total, mean, square = 0, np.zeros(3), np.zeros(3)
                        for dy in range(-cell, cell + 1):
                            for dx in range(-cell, cell + 1):
                                weight = (1 - abs(dy) / cell) * (1 - abs(dx) / cell)
                                # Beyond the border the last pixel goes on.
                                v = values[min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
                                total, mean, square = total + weight, mean + weight * v, square + weight * v * v
                        mean, square = mean / total, square / total
                        row += [*mean, *np.sqrt(np.maximum(square - mean**2, 0))]
                rows.append(row)
        arrays[f"statistics_{cell}"] = np.array(rows)
    save("colour", **arrays)


# --- Whole pictures --------------------------------------------------------------------------------------------------

def regions(bins, count, grid, margin=0):
    """Shares of the bins 0..count in the regions of a grid (columns, rows), by rows; -1 is no bin, but a pixel.

    `bins` lacks a margin of the picture, which the grid divides with the rest."""
    columns, rows = grid
    y, x = np.indices(bins.shape) + margin
    height, width = np.array(bins.shape) + 2 * margin
    region = y * rows // height * columns + x * columns // width
    shares = []
    for r in range(columns * rows):
        inside = bins[region == r]
        shares.append(np.bincount(inside[inside >= 0], minlength=count) / max(len(inside), 1))
    return np.concatenate(shares)


def gist(luma, scales=4, orientations=8, blocks=4):
    """Oliva & Torralba 2001, with the constants of their LMgist."""
    def mirrored(x, margin):
        return np.pad(x, margin, mode="symmetric")

    def frequencies(n):
        f = np.fft.fftfreq(n, 1 / n)
        return np.meshgrid(f, f)

    def filtered(x, response):
        return np.fft.ifft2(np.fft.fft2(x) * response)

    x = mirrored(np.log1p(luma.astype(np.float64)), 5)
    fx, fy = frequencies(len(x))
    low = np.exp(-(fx**2 + fy**2) * np.log(2) / 4**2)
    x = x - filtered(x, low).real
    x = x / (0.2 + np.sqrt(np.abs(filtered(x**2, low))))
    x = mirrored(x[5:-5, 5:-5], 32)
    fx, fy = frequencies(len(x))
    features = []
    for scale in range(scales):
        for direction in range(orientations):
            radius = np.hypot(fx, fy) / len(x) / (0.3 / 1.85**scale) - 1
            angle = np.arctan2(fy, fx) + np.pi / orientations * direction
            angle[angle > np.pi] -= 2 * np.pi
            gabor = np.exp(-10 * 0.35 * radius**2 - 2 * (16 * orientations**2 / 32**2) * np.pi * angle**2)
            energy = np.abs(filtered(x, gabor))[32:-32, 32:-32]
            cuts = [np.array_split(rows, blocks, axis=1) for rows in np.array_split(energy, blocks)]
            features += [block.mean() for row in cuts for block in row]
    return np.array(features)


def appearance():
    rgb = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)[64:192, 32:160]
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    arrays = {"rgb": rgb.reshape(128, -1)}

    def bins(channels, ranges, counts):
        """One number for each pixel: the bins of its channels, the last one fastest."""
        at = [np.clip((c - lo) / (hi - lo) * n, 0, n - 1).astype(int) for c, (lo, hi), n in zip(channels, ranges, counts)]
        return np.ravel_multi_index(at, counts)

    # Of levels from 0 to 255, so that a saturation of exactly 1/2 is not rounded to below it.
    hsv = np.moveaxis(skimage.color.rgb2hsv(rgb.astype(np.float64)), -1, 0) / np.array([1, 1, 255])[:, None, None]
    lab = np.moveaxis(skimage.color.rgb2lab(rgb), -1, 0)
    arrays["hsv"] = unit(np.sqrt(regions(bins(hsv, [(0, 1)] * 3, (8, 4, 4)), 128, (3, 3))))
    lab_bins = bins(lab, [(0, 100), (-87, 99), (-108, 95)], (4, 6, 6))
    arrays["lab"] = unit(regions(lab_bins, 144, (2, 1)))

    arrays["hog"] = unit(hog(luma, orientations=9, pixels_per_cell=(16, 16), cells_per_block=(2, 2), block_norm="L2-Hys"))

    for name, points, radius, grid in (("lbp_8", 8, 1, (4, 4)), ("lbp_12", 12, 2.5, (1, 1))):
        codes = local_binary_pattern(luma, points, radius, "nri_uniform").astype(int)
        # scikit-image counts the turn of an arc the other way round than we do: (p - first) mod p.
        arcs = (codes > 0) & (codes <= points * (points - 1))
        length, turn = (codes - 1) // points, (codes - 1) % points
        codes = np.where(arcs, 1 + length * points + (points - turn) % points, codes)
        margin = int(np.ceil(radius))
        codes = codes[margin:-margin, margin:-margin]
        arrays[name] = unit(np.sqrt(regions(codes, points * (points - 1) + 3, grid, margin)))

    census = np.zeros((126, 126), int)
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        neighbour = luma[1 + dy:127 + dy, 1 + dx:127 + dx]
        census = census * 2 + (luma[1:-1, 1:-1] >= neighbour)
    census = np.where((census > 0) & (census < 255), census - 1, -1)
    levels = [regions(census, 254, grid, 1) for grid in ((1, 1), (2, 2))]
    arrays["centrist"] = unit(np.sqrt(np.concatenate(levels)))

    arrays["gist"] = unit(gist(luma))

    arrays["grey"] = unit(regions(bins([luma / 255], [(0, 1)], (64,)), 64, (1, 1)))
    low = dctn(luma.astype(np.float64))[:8, :8].ravel()
    arrays["phash"] = unit(np.where(low > np.median(low[1:]), 1.0, -1.0))
    save("appearance", **arrays)


# --- Codebook and encoding -------------------------------------------------------------------------------------------

def vlad():
    rng = np.random.default_rng(11)
    centroids = rng.normal(0, 1, (8, 16)).astype(np.float32)
    centroids[5] += 40  # Attracts nothing: its block must stay zero through every normalisation.
    descriptors = (centroids[rng.choice([0, 1, 2, 3, 4, 6, 7], 300)] + rng.normal(0, 0.6, (300, 16))).astype(np.float32)

    blocks, nearest = np.zeros((8, 16)), []
    for d in descriptors.astype(np.float64):
        distances = ((centroids - d) ** 2).sum(axis=1)
        k = int(distances.argmin())
        nearest.append(k)
        blocks[k] += d - centroids[k]
    power = np.sign(blocks) * np.abs(blocks) ** 0.5
    intra = np.array([b / n if (n := np.linalg.norm(b)) > 0 else b for b in blocks])
    save("vlad", descriptors=descriptors, centroids=centroids, nearest=np.array(nearest, np.int64), sums=blocks.ravel(),
         plain=unit(blocks.ravel()), power=unit(power.ravel()), intra=unit(intra.ravel()))


def kmeans():
    rng = np.random.default_rng(12)
    centres = rng.normal(0, 3, (16, 16))
    points = (centres[rng.integers(0, 16, 2000)] + rng.normal(0, 1, (2000, 16))).astype(np.float32)
    model = KMeans(16, n_init=4, random_state=0).fit(points.astype(np.float64))
    FIGURES["kmeans_inertia"] = model.inertia_
    save("kmeans", points=points, centroids=model.cluster_centers_)


def mixture():
    """EM from hard assignments, and Fisher vectors by Sánchez et al. 2013, eqs. 17 and 18."""
    rng = np.random.default_rng(18)
    k, d = 6, 8
    centroids = rng.normal(0, 1.2, (k, d)).astype(np.float32)
    spread = rng.uniform(0.5, 1.5, (k, d))
    which = rng.choice(k, 700, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    points = (centroids[which] + rng.normal(size=(700, d)) * spread[which]).astype(np.float32)
    train, other = points[:600].astype(np.float64), points[600:].astype(np.float64)

    nearest = ((train[:, None] - centroids) ** 2).sum(axis=2).argmin(axis=1)
    groups = [train[nearest == c] for c in range(k)]
    start = {
        "weights_init": np.array([len(g) for g in groups]) / len(train),
        "means_init": np.array([g.mean(axis=0) for g in groups]),
        "precisions_init": 1 / np.array([g.var(axis=0) for g in groups]),
    }
    arrays = {"train": points[:600], "other": points[600:], "centroids": centroids}
    for rounds in (1, 5):
        model = GaussianMixture(k, covariance_type="diag", reg_covar=0, tol=0, max_iter=rounds, **start).fit(train)
        arrays |= {f"weights_{rounds}": model.weights_, f"means_{rounds}": model.means_,
                   f"variances_{rounds}": model.covariances_}
    w, m, v = model.weights_, model.means_, model.covariances_
    q = model.predict_proba(other)

    def fisher(q):
        z = (other[:, None] - m) / np.sqrt(v)  # n x k x d
        first = (q[:, :, None] * z).mean(axis=0) / np.sqrt(w)[:, None]
        second = (q[:, :, None] * (z**2 - 1)).mean(axis=0) / np.sqrt(2 * w)[:, None]
        return np.concatenate([first.ravel(), second.ravel()])

    exact = fisher(q)
    theirs = fisher_vector(other, model, improved=False)[k:]  # Without the gradient of the weights.
    theirs[k * d:] *= -1  # scikit-image's gradient of the variances has the other sign.
    assert np.allclose(unit(exact), unit(theirs), atol=1e-9)
    # Responsibilities below a thousandth of the largest are left out, as ours are.
    kept = np.where(q > 1e-3 * q.max(axis=1, keepdims=True), q, 0)
    kept = fisher(kept / kept.sum(axis=1, keepdims=True))
    arrays |= {"exact": unit(exact), "plain": unit(kept), "power": unit(np.sign(kept) * np.abs(kept) ** 0.5)}
    save("mixture", **arrays)


# --- Linear algebra --------------------------------------------------------------------------------------------------

def pca():
    rng = np.random.default_rng(13)
    basis = np.linalg.qr(rng.normal(size=(48, 48)))[0]
    rows = ((rng.normal(size=(420, 48)) * 0.85 ** np.arange(48)) @ basis + rng.normal(size=48)).astype(np.float32)
    train, other = rows[:400], rows[400:]
    model = PCA(n_components=12, whiten=True, svd_solver="full").fit(train.astype(np.float64))
    s = signs(model.components_.T)
    save("pca", train=train, other=other, mean=model.mean_, components=model.components_ * s[:, None],
         explained_variance=model.explained_variance_, transformed=model.transform(other.astype(np.float64)) * s)


def lsa():
    rng = np.random.default_rng(14)
    # Topics of their own strength, so that the leading singular values are well apart.
    mixture = rng.gamma(0.3, 1, (200, 12)) * 0.8 ** np.arange(12)
    matrix = (mixture @ rng.gamma(0.2, 1, (12, 120))).astype(np.float32)
    matrix[matrix < 0.3] = 0
    _, values, vt = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    assert (values[:10] / values[1:11] > 1.02).all()
    v = vt[:10].T
    v *= signs(v)
    save("lsa", matrix=matrix, singular_values=values[:10], components=v.T, projections=matrix.astype(np.float64) @ v)


def cca():
    rng = np.random.default_rng(15)
    strength = np.array([0.97, 0.92, 0.85, 0.76, 0.65, 0.52, 0.4, 0.28])
    shared = rng.normal(size=(300, 8))

    def side(dimensions):
        own = rng.normal(size=(300, dimensions))
        own[:, :8] = shared * np.sqrt(strength) + own[:, :8] * np.sqrt(1 - strength)
        return (own @ rng.normal(size=(dimensions, dimensions)) + rng.normal(size=dimensions)).astype(np.float32)

    x, y = side(20), side(15)
    xc, yc = (m.astype(np.float64) - m.astype(np.float64).mean(axis=0) for m in (x, y))
    n, p, q, k = 300, 20, 15, 8
    arrays = {"x": x, "y": y}
    for label, r in (("r0", 0.0), ("r01", 0.1)):
        cxx, cyy, cxy = xc.T @ xc / n, yc.T @ yc / n, xc.T @ yc / n
        cxx += r * cxx.diagonal().mean() * np.eye(p)
        cyy += r * cyy.diagonal().mean() * np.eye(q)
        # [0 Cxy; Cyx 0] w = ρ [Cxx 0; 0 Cyy] w, with w = (a, b): no whitening, no SVD, as we do it ourselves.
        across = np.block([[np.zeros((p, p)), cxy], [cxy.T, np.zeros((q, q))]])
        within = scipy.linalg.block_diag(cxx, cyy)
        rho, w = scipy.linalg.eigh(across, within, subset_by_index=(p + q - k, p + q - 1))
        rho, w = rho[::-1], w[:, ::-1] * np.sqrt(2)  # wᵀ within w = 1 shares itself equally between a and b.
        s = signs(w[:p])
        a, b = w[:p] * s, w[p:] * s
        assert np.allclose(a.T @ cxx @ a, np.eye(k), atol=1e-9) and np.allclose(b.T @ cyy @ b, np.eye(k), atol=1e-9)
        assert np.allclose(a.T @ cxy @ b, np.diag(rho), atol=1e-9)
        arrays |= {f"correlations_{label}": rho, f"a_{label}": a, f"b_{label}": b}

    u, v = CCA(n_components=4, max_iter=5000, tol=1e-10).fit_transform(xc, yc)
    arrays["correlations_sklearn"] = np.array([np.corrcoef(u[:, i], v[:, i])[0, 1] for i in range(4)])
    assert np.allclose(arrays["correlations_sklearn"], arrays["correlations_r0"][:4], atol=1e-6)
    save("cca", **arrays)


def kernel_maps():
    rng = np.random.default_rng(19)
    rows = rng.gamma(0.5, 1, (24, 10)).astype(np.float32)
    rows[rows < 0.1] = 0
    shares = rows.astype(np.float64) / rows.astype(np.float64).sum(axis=1, keepdims=True)
    sampler = AdditiveChi2Sampler(sample_steps=2, sample_interval=2 * np.pi / (5.86 + 3.65))
    save("kernel_maps", rows=rows, chi2=sampler.fit_transform(shares))


# --- Text ------------------------------------------------------------------------------------------------------------

DOCUMENTS = """
一 只 黑色 的 狗 在 草地 上 奔跑
两 只 狗 在 沙滩 上 追逐 一 只 球
一个 小女孩 在 公园 里 荡秋千
一个 男人 骑 着 自行车 穿过 公园
孩子 们 在 操场 上 踢 足球 踢 得 很 开心
穿 红色 衣服 的 女人 站 在 海边 看 海 看 船 看 海鸥
雪地 里 一 只 棕色 的 狗 叼 着 一 根 树枝
一 群 人 在 广场 上 跳舞 跳舞 跳舞
摩托车 手 在 赛道 上 加速
小男孩 在 泳池 里 玩水 水 花 四溅
登山 者 站 在 山顶 俯瞰 云海
球员 在 球场 上 争抢 足球
"""
# Known words, repeated words, words never seen, nothing known at all.
QUERIES = """
一 只 狗 在 海边 奔跑
看 海 看 海 看 足球
机器人 在 公园 里 弹 钢琴
量子 力学
"""


def tfidf():
    documents, queries = ([line.split() for line in text.strip().splitlines()] for text in (DOCUMENTS, QUERIES))
    result = {"documents": documents, "queries": queries}
    for label, sublinear in (("plain", False), ("sublinear", True)):
        model = TfidfVectorizer(analyzer=lambda words: words, sublinear_tf=sublinear, smooth_idf=True, norm="l2")
        model.fit(documents)
        result["vocabulary"] = model.get_feature_names_out().tolist()  # By code point; column i of everything below.
        result["idf"] = model.idf_.tolist()
        result[label] = model.transform(queries).toarray().tolist()
    save_json("tfidf", result)


SENTENCES = """
一个小女孩在草地上追着一只黄色的蝴蝶跑
两名工人正站在脚手架上粉刷外墙
那条棕色的狗叼着飞盘从水里跳了出来
傍晚的海边有几个人在散步
老爷爷坐在公园长椅上看报纸
穿蓝色球衣的运动员把球传给了队友
雨后的街道上倒映着霓虹灯光
一群小学生排队走进博物馆
厨师把切好的胡萝卜倒进锅里
她戴着一顶白色的草帽,手里拿着冰淇淋
摩托车手在泥泞的山路上急转弯
白色背景上有三个红色的五角星
图中可以看到六条绿色条纹
市民在图书馆里安静地阅读
货轮缓缓驶入港口,拖船在前面引路
孩子们围着圣诞树唱歌跳舞
他把行李箱放进了出租车的后备箱
登山队员在海拔5000米的营地休整
摄影师蹲下来拍摄花瓣上的露珠
这家餐厅的招牌菜是糖醋排骨
工程师用iPad检查生产线的数据
第18届运动会在体育中心开幕
游客站在黄河大桥上看日落
羽毛球拍挂在体育馆的墙上
他在滨江的旭坤大厦门口等车
学生会组织了一场辩论赛
快递员把包裹放在物业前台
已婚和尚未成家的同事站在一起合影
杨晓雯和赵建国在湖边喂天鹅
李小萌抱着吉他在台上演唱
三只小猫挤在纸箱里睡午觉
滑雪板划过雪面,扬起一片雪雾
农民开着收割机收获小麦
宇航员在空间站里做实验
一辆红色双层巴士停在路口等红绿灯
气温跌破零下10.5度,湖面结了冰
老师说:"今天画星星!"
ＡＢＣ公司发布２０２４年新款手机
Two dogs running,两只狗在跑
他笑嘻嘻地说了声OK就走了
"""


def segmentation():
    jieba.setLogLevel("ERROR")
    save_json("jieba", [{"sentence": s, "tokens": jieba.lcut(s)} for s in SENTENCES.strip().splitlines()])


# --- Search and evaluation -------------------------------------------------------------------------------------------

def flat_search():
    rng = np.random.default_rng(16)
    base, queries = (unit(rng.normal(size=(n, 24))).astype(np.float32) for n in (500, 20))
    index = faiss.IndexFlatIP(24)
    index.add(base)
    scores, ids = index.search(queries, 11)
    assert (scores[:, :-1] - scores[:, 1:]).min() > 1e-5  # No two so close that rounding could swap them.
    save("faiss", base=base, queries=queries, ids=ids[:, :10].astype(np.int64), scores=scores[:, :10])


def evaluate(scores, truth):
    ranks = []
    for row, right in zip(scores, truth):
        best = max(row[i] for i in right)
        rank = 1.0
        for i, score in enumerate(row):
            if i in right:
                continue
            if score > best:
                rank += 1
            elif score == best:
                rank += 0.5
        ranks.append(rank)
    recall = {f"r{k}": sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5)}
    return {"ranks": ranks, **recall, "median_rank": float(np.median(ranks))}


def metrics():
    rng = np.random.default_rng(17)
    # Quarters are exact in binary, and few: ties everywhere.
    scores = rng.integers(-3, 4, (12, 8)) / 4
    scores[3] = 0.25  # All tied.
    truth = [[q % 8] for q in range(12)]
    truth[1], truth[6], truth[9] = [1, 4], [0, 2, 6], [1, 5]
    scores[1, [1, 4]] = 0.75  # Two right answers tied with each other: neither is against the other.
    inverse = [[q for q in range(12) if item in truth[q]] for item in range(8)]
    save_json("metrics", {
        "scores": scores.tolist(), "truth": truth, "rows_to_columns": evaluate(scores.tolist(), truth),
        "inverse_truth": inverse, "columns_to_rows": evaluate(scores.T.tolist(), inverse),
    })


if __name__ == "__main__":
    makers = (features, colour, appearance, vlad, kmeans, mixture, pca, lsa, cca, kernel_maps, tfidf, segmentation,
              flat_search, metrics)
    for make in makers:
        make()
    packages = ("numpy", "scipy", "scikit-learn", "scikit-image", "opencv-python-headless", "faiss-cpu", "jieba", "safetensors")
    programs = {"python": platform.python_version()} | {p: version(p) for p in packages}
    save_json("versions", {"programs": programs, "figures": FIGURES})
    print(f"{sum(f.stat().st_size for f in HERE.iterdir() if f.is_file()) / 1024:.0f} KiB")
