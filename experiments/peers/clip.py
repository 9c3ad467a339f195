"""The server beside clip-retrieval's back: clip.py TUWEN GALLERY WORK.

Both have the same pictures in the same space, hear the same sentences in the same words, and answer in turns; each request
comes as clip-retrieval's own client sends it, over a connection of its own. The back runs as its package has it, with FAISS
over the gallery's vectors: exactly (Flat), as tuwen does, and by a graph (HNSW32). It has no
network that understands these sentences, and needs none here: its encoder is one that gives a vector of the gallery at once,
whereas tuwen's time is that of its whole answer. Metadata are a path and a caption of each picture."""

import json
import pathlib
import subprocess
import sys
import time
import urllib.request

import faiss
import numpy
import pandas

QUESTIONS = 300
IMAGES = 40
BACK = """
import sys, types, contextlib, numpy

class Tensor(numpy.ndarray):
    def norm(self, dim, keepdim): return numpy.linalg.norm(self, axis=dim, keepdims=keepdim)
    def cpu(self): return self
    def to(self, kind): return self
    def detach(self): return self
    def numpy(self): return numpy.asarray(self)

class Encoder:
    rows = numpy.load(sys.argv[2], mmap_mode="r")
    asked = 0
    def encode_text(self, tokens):
        Encoder.asked += 1
        return numpy.array(self.rows[[Encoder.asked * 97 % len(self.rows)]]).view(Tensor)

class Tokens(list):
    def to(self, device): return self

torch = types.ModuleType("torch")
torch.cuda = types.SimpleNamespace(is_available=lambda: False)
torch.no_grad = contextlib.nullcontext
torch.float32 = "float32"
all_clip = types.ModuleType("all_clip")
all_clip.load_clip = lambda *a, **k: (Encoder(), None, Tokens)
sys.modules.update(torch=torch, all_clip=all_clip)
# Its other parts, which importing the package brings, want far more.
package = types.ModuleType("clip_retrieval")
package.__path__ = [f"{folder}/clip_retrieval" for folder in sys.path]
sys.modules["clip_retrieval"] = package

import flask
run = flask.Flask.run
flask.Flask.run = lambda self, host, port, debug: run(self, host="127.0.0.1", port=port, debug=debug)
import clip_retrieval.clip_back
clip_retrieval.clip_back.clip_back(indices_paths=sys.argv[1], port=int(sys.argv[3]), provide_safety_model=False,
    provide_violence_detector=False, provide_aesthetic_embeddings=False, enable_mclip_option=False)
"""


def post(address, path, asked):
    request = urllib.request.Request(address + path, data=json.dumps(asked).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def knn(address, name, text):
    asked = {
        "text": text, "image": None, "image_url": None, "embedding_input": None, "deduplicate": False,
        "use_safety_model": False, "use_violence_detector": False, "indice_name": name, "use_mclip": False,
        "aesthetic_score": "", "aesthetic_weight": "", "modality": "image", "num_images": IMAGES,
    }
    start = time.perf_counter()
    hits = post(address, "/knn-service", asked)
    took = 1e3 * (time.perf_counter() - start)
    assert len(hits) == IMAGES and hits[0]["id"] is not None, hits[:1]
    return took


def folder_of(index, work, name, vectors):
    folder = work / name
    folder.mkdir(exist_ok=True)
    (folder / "metadata").mkdir(exist_ok=True)
    faiss.write_index(index, str(folder / "image.index"))
    items = pandas.read_parquet(work / "items.parquet")
    table = pandas.DataFrame({"image_path": items["id"], "caption": items["caption"].fillna(items["id"])})
    assert len(table) == len(vectors)
    table.to_parquet(folder / "metadata" / "metadata_0.parquet")
    return folder


def waits(address):
    for _ in range(300):
        try:
            return json.load(urllib.request.urlopen(address + "/indices-list"))
        except OSError:
            time.sleep(0.2)
    sys.exit(f"{address} does not answer")


def main():
    tuwen, gallery = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    work = pathlib.Path(sys.argv[3]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    files = ["--vectors", work / "vectors.npy", "--items", work / "items.parquet"]
    subprocess.run([tuwen, "export", gallery, *files, "-q"], check=True)
    vectors = numpy.ascontiguousarray(numpy.load(work / "vectors.npy"), dtype="float32")
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    graph = faiss.index_factory(vectors.shape[1], "HNSW32", faiss.METRIC_INNER_PRODUCT)
    graph.add(vectors)
    indices = {"flat": flat, "graph": graph}
    places = {name: str(folder_of(index, work, name, vectors)) for name, index in indices.items()}
    (work / "indices.json").write_text(json.dumps(places))
    (work / "back.py").write_text(BACK)
    port = 23456
    started = [
        subprocess.Popen([tuwen, "serve", "--gallery", gallery, "--port", "0"], stdout=subprocess.PIPE, text=True),
        subprocess.Popen(
            [sys.executable, work / "back.py", work / "indices.json", work / "vectors.npy", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ),
    ]
    try:
        ours = started[0].stdout.readline().strip().rstrip("/")
        theirs = f"http://127.0.0.1:{port}"
        [name] = waits(ours)
        waits(theirs)
        # Captions that the model learned from, or those of the gallery.
        asked = urllib.request.urlopen(f"{ours}/v1/galleries/{name}/items?limit={QUESTIONS}")
        keys = [item["key"] for item in json.load(asked)["items"] if not item.get("bad")]
        texts = [post(ours, "/v1/captions", {"like": [key], "limit": 1})["hits"][0]["text"] for key in keys]
        times = {"tuwen": [], "flat": [], "graph": []}
        for text in texts[:5]:
            knn(ours, name, text), knn(theirs, "flat", text), knn(theirs, "graph", text)
        for text in texts:
            times["tuwen"].append(knn(ours, name, text))
            for index in indices:
                times[index].append(knn(theirs, index, text))
    finally:
        for server in started:
            server.terminate()
    print(f"{len(vectors)} pictures, {vectors.shape[1]} numbers each, {len(texts)} sentences, {IMAGES} hits")
    names = {
        "tuwen": "tuwen, the whole answer",
        "flat": "clip-retrieval's back without its encoder, FAISS Flat",
        "graph": "the same, FAISS HNSW32",
    }
    for name, took in times.items():
        p50, p99 = numpy.percentile(took, [50, 99])
        print(f"{names[name]}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


if __name__ == "__main__":
    main()
