"""Search pictures with Chinese or English sentences, and sentences and copies with pictures, on a CPU.

>>> import tuwen
>>> tuwen.fit("card.toml", "data/demo").save("demo.tuwen")                     # doctest: +SKIP
>>> g = tuwen.Gallery.create("g", tuwen.Model.open("demo.tuwen"))              # doctest: +SKIP
>>> g.sync("photos")                                                          # doctest: +SKIP
>>> for hit in g.search("海边的狗", k=5):                                       # doctest: +SKIP
...     print(hit.id, hit.probability)

Work that takes a while runs without Python's lock, shows tqdm's bars where tqdm is installed (`progress=False` shows none),
and ends with Ctrl-C; another run goes on where it stopped. What goes wrong is a `tuwen.Error` with the words of the command
line.
"""

from ._tuwen import (
    Cca,
    Error,
    Fisher,
    Gallery,
    Hit,
    Model,
    Vlad,
    __version__,
    copies,
    evaluate,
    fit,
    orb,
    sift,
)

__all__ = [
    "Cca",
    "Error",
    "Fisher",
    "Gallery",
    "Hit",
    "Model",
    "Vlad",
    "__version__",
    "copies",
    "evaluate",
    "fit",
    "orb",
    "sift",
]
