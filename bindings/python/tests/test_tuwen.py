"""The module as a notebook uses it, on pictures that are made here."""

import doctest
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tuwen

REPOSITORY = Path(__file__).parents[3]
COLOURS = {"红色": (220, 30, 30), "蓝色": (30, 30, 220), "绿色": (30, 180, 30), "黄色": (230, 210, 20)}
SHAPES = ["圆形", "方形"]


def drawn(colour, shape, seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :128]
    cy, cx, r = rng.integers(35, 60), rng.integers(40, 90), rng.integers(18, 30)
    inside = (y - cy) ** 2 + (x - cx) ** 2 < r * r if shape == "圆形" else np.maximum(abs(y - cy), abs(x - cx)) < r
    pixels = rng.integers(200, 256, (96, 128, 3))
    pixels[inside] = np.clip(np.array(COLOURS[colour]) + rng.integers(-20, 20, (inside.sum(), 3)), 0, 255)
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    rows = ["image,caption"]
    for i in range(160):
        colour, shape = list(COLOURS)[i % 4], SHAPES[i // 4 % 2]
        Image.fromarray(drawn(colour, shape, i)).save(folder / "images" / f"{i}.png")
        rows.append(f"{i}.png,一个{colour}的{shape}")
    (folder / "captions.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


RECIPE = """
name = "drawn"
[[image_views]]
name = "hsv"
appearance.histogram = {}

[[text_views]]
name = "words"
tokens.words = {}
tfidf.min_df = 1
lsa_dim = 16

[fusion.cca]
dims = [8]
regularization = [0.1]
"""


@pytest.fixture(scope="module")
def recipe(data):
    path = data / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def model(data, recipe):
    return tuwen.fit(recipe, data, work=data / "work", progress=False)


@pytest.fixture(scope="module")
def gallery(data, model):
    gallery = tuwen.Gallery.create(data / "g", model)
    assert gallery.sync(data / "images", progress=False)["added"] == 160
    return gallery


def test_doctests():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for name in tuwen.__all__:
        for test in finder.find(getattr(tuwen, name), name, module=False, globs={"tuwen": tuwen}):
            runner.run(test)
    assert runner.tries > 10 and runner.failures == 0


def test_a_model_embeds_texts_and_pictures_of_every_kind(model, data, tmp_path):
    texts = model.embed_texts(["一个红色的圆形", "一个蓝色的方形"])
    assert texts.dtype == np.float32 and texts.shape == (2, model.dim)
    assert np.allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    file = data / "images" / "0.png"
    array = np.asarray(Image.open(file))
    kinds = [str(file), file, file.read_bytes(), Image.open(file), array]
    points = model.embed_pictures(kinds, progress=False)
    assert points.shape == (5, model.dim)
    assert (points == points[0]).all(), "one picture, five ways"
    red, blue = points[0] @ texts.T
    assert red > blue
    model.save(tmp_path / "copy.tuwen")
    again = tuwen.Model.open(tmp_path / "copy.tuwen")
    assert (again.embed_texts(["红色"]) == model.embed_texts(["红色"])).all()


def test_a_picture_of_pillow_is_treated_as_its_file(model, data, tmp_path):
    picture = Image.open(data / "images" / "3.png")
    clear = picture.convert("RGBA")
    clear.putalpha(Image.fromarray((np.mgrid[:96, :128][1] * 2).astype(np.uint8)))
    clear.save(tmp_path / "clear.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    wide = Image.fromarray(np.vstack([np.asarray(picture)[:48], 255 - np.asarray(picture)[48:]]))
    wide.save(tmp_path / "turned.png", exif=exif)
    picture.convert("P").save(tmp_path / "palette.png")
    for name in ("clear.png", "turned.png", "palette.png"):
        file, opened = model.embed_pictures([tmp_path / name, Image.open(tmp_path / name)], progress=False)
        assert (file == opened).all(), name


def test_a_gallery_is_searched_and_changed(gallery, data):
    hits = gallery.search("红色", k=5)
    assert len(hits) == 5 and len(gallery) == 160
    assert all(int(hit.id.removesuffix(".png")) % 4 == 0 for hit in hits), hits
    assert hits[0].score >= hits[-1].score and hits[0].path.endswith(hits[0].id)
    explained = gallery.search("红色", k=1, explain=True)[0]
    assert sum(p["share"] for p in explained.why["parts"]) == pytest.approx(explained.score, abs=1e-3)
    texts = gallery.search(picture=data / "images" / "1.png", find="texts", k=1)
    assert "蓝色" in texts[0].text
    new = data / "new.png"
    Image.fromarray(drawn("黄色", "圆形", 999)).save(new)
    assert gallery.add([new], captions={new: ["一个黄色的圆形"]}, progress=False)["added"] == 1
    assert len(gallery) == 161
    assert gallery.remove([str(new.resolve())]) == 1
    assert len(gallery) == 160


def test_a_recipe_is_measured(data, recipe):
    report = tuwen.evaluate(recipe, data, folds=4, work=data / "work", progress=False)
    assert report["t2i"]["R@10"] > report["t2i"]["chance_R@5"]


def test_the_notebook_goes_from_captions_to_a_page(data, tmp_path):
    notebook = json.loads((REPOSITORY / "examples" / "notebook.ipynb").read_text(encoding="utf-8"))
    program = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    settings = {**os.environ, "TUWEN_DATA": str(data), "TUWEN_WORK": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], check=True, env=settings)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<img") == 8


def test_copies_are_found_and_what_is_no_picture_is_told(data, tmp_path):
    rng = np.random.default_rng(1)
    for name in ("gallery", "queries"):
        (tmp_path / name).mkdir()
    for i in range(6):
        blocks = rng.integers(0, 255, (15, 20, 3), np.uint8).repeat(12, 0).repeat(12, 1)
        Image.fromarray(blocks).save(tmp_path / "gallery" / f"{i}.png")
        if i == 3:
            Image.fromarray(blocks[20:, 30:]).save(tmp_path / "queries" / "cropped.png")
    (tmp_path / "queries" / "broken.jpg").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="1 of the pictures cannot be used, the first: .*broken.jpg"):
        found = tuwen.copies(tmp_path / "gallery", tmp_path / "queries", work=tmp_path, progress=False)
    assert [(os.path.basename(q), os.path.basename(s)) for q, s, _ in found] == [("cropped.png", "3.png")]


def test_errors_are_exceptions_with_words(model, gallery, recipe, data, tmp_path):
    with pytest.raises(tuwen.Error, match="nowhere.tuwen"):
        tuwen.Model.open(tmp_path / "nowhere.tuwen")
    with pytest.raises(tuwen.Error, match="picture 1"):
        model.embed_pictures([drawn("红色", "圆形", 1), b"no picture"], progress=False)
    with pytest.raises(tuwen.Error, match="picture 0"):
        model.embed_pictures([b"no picture"] * 50, progress=False)
    with pytest.raises(TypeError, match="not int"):
        model.embed_pictures([1])
    for one in (str(data / "images" / "1.png"), b"bytes", drawn("红色", "圆形", 1)):
        with pytest.raises(TypeError, match="a list"):
            model.embed_pictures(one)
    with pytest.raises(tuwen.Error, match="2 to 100 folds"):
        tuwen.evaluate(recipe, data, folds=0, work=tmp_path, progress=False)
    for wrong in ({"k": 0}, {"weights": (float("nan"), 0.5)}, {"weights": (-1.0, 0.5)}):
        with pytest.raises(tuwen.Error, match="at least one hit"):
            gallery.search("红色", **wrong)
    with pytest.raises(ValueError, match="height, width, 3"):
        tuwen.sift(np.zeros((4, 4, 7), np.uint8))
    with pytest.raises(ValueError, match="find is"):
        gallery.search("红色", find="videos")
    with pytest.raises(tuwen.Error, match="call fit first"):
        tuwen.Vlad().transform([np.zeros((3, 8), np.float32)])
    with pytest.raises(ValueError, match="3 rows and Y 4"):
        tuwen.Cca(dim=1).fit(np.zeros((3, 2), np.float32), np.zeros((4, 2), np.float32))


def test_stages_agree_with_numpy_and_opencv():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(500, 3))
    x = (latent @ rng.normal(size=(3, 8)) + 0.3 * rng.normal(size=(500, 8))).astype(np.float32)
    y = (latent @ rng.normal(size=(3, 6)) + 0.3 * rng.normal(size=(500, 6))).astype(np.float32)
    # Canonical correlations are the singular values of the whitened cross-covariance (Hotelling 1936).
    a, b = x.astype(float) - x.mean(0), y.astype(float) - y.mean(0)
    qa, qb = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
    expected = np.linalg.svd(qa.T @ qb, compute_uv=False)[:3]
    cca = tuwen.Cca(dim=3, regularization=1e-6).fit(x, y)
    assert cca.correlations_[:3] == pytest.approx(expected, abs=1e-3)
    descriptors = [rng.normal(size=(40, 4)).astype(np.float32) for _ in range(3)]
    vectors = tuwen.Vlad(words=2).fit(descriptors).transform(descriptors)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_other_threads_go_on(model, data):
    files = [data / "images" / f"{i % 160}.png" for i in range(600)]
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1
            done.wait(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    before = counted[0]
    model.embed_pictures(files, progress=False)
    during = counted[0] - before
    done.set()
    thread.join()
    assert during > 5


def test_ctrl_c_ends_long_work(data, recipe):
    program = textwrap.dedent(f"""
        import tuwen
        model = tuwen.fit({str(recipe)!r}, {str(data)!r}, work={str(data / "work")!r}, progress=False)
        print("begun", flush=True)
        try:
            model.embed_pictures([{str(data / "images" / "1.png")!r}] * 200_000, progress=False)
        except KeyboardInterrupt:
            print("ended")
    """)
    # tests that run in the background of a shell ignore the signal, and so would what they start
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, preexec_fn=heed)
    assert run.stdout.readline() == "begun\n"
    threading.Event().wait(3)  # the list is read, and its pictures are being described
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=60)[0] == "ended\n"


def test_bars_are_tqdms(model, data, monkeypatch):
    import tqdm.auto

    made = []

    class Seen(tqdm.auto.tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(tqdm.auto, "tqdm", Seen)
    model.embed_pictures([data / "images" / "1.png"] * 7)
    model.embed_pictures([data / "images" / "1.png"] * 2000)
    assert [(bar.total, bar.n) for bar in made] == [(7, 7), (2000, 2000)]


def test_numpys_blas_is_its_own():
    """scikit-learn before and after, and no symbol of BLAS in the module."""
    program = textwrap.dedent("""
        import numpy as np
        from sklearn.decomposition import PCA
        x = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
        before = PCA(5, svd_solver="full").fit_transform(x)
        import tuwen
        tuwen.Cca(dim=4).fit(x[:, :20], x[:, 20:])
        assert (PCA(5, svd_solver="full").fit_transform(x) == before).all()
    """)
    subprocess.run([sys.executable, "-c", program], check=True)
    module = sys.modules["tuwen._tuwen"].__file__
    symbols = subprocess.run(["nm", "-D", "--defined-only", module], capture_output=True, text=True, check=True)
    assert "sgemm_" not in symbols.stdout and "PyInit__tuwen" in symbols.stdout
