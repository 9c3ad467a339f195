"""BLEU, ROUGE-L and CIDEr of made-up captions by pycocoevalcap, for tests/golden/captions.rs.

    pip install pycocoevalcap==1.2
    python tests/golden/captions.py

Needs no Java: the captions are tokens already. What the package calls CIDEr is CIDEr-D.
"""

import json
from pathlib import Path

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

HERE = Path(__file__).resolve().parent
PICTURES = [  # the candidate, then the references
    # A copy of a reference.
    ("a woman in a green coat feeds pigeons in the square",
     "a woman in a green coat feeds pigeons in the square",
     "someone gives bread to a flock of pigeons",
     "pigeons gather around a lady with a paper bag"),
    # No word, and one.
    ("",
     "an old tram climbs a steep street",
     "a yellow tram on a hill between houses",
     "the tram is full of people"),
    ("boat",
     "a wooden boat lies on the shore",
     "a small boat with a torn sail",
     "boat on the beach"),
    # Repeated words: only as many count as a reference has.
    ("the the the the the the the",
     "the baker slides the bread into the oven",
     "a man bakes bread",
     "bread goes into an oven with a long shovel"),
    # The words of a reference in another order.
    ("hill a on cyclists three up ride",
     "three cyclists ride up a hill",
     "a group of cyclists on a mountain road",
     "people on bicycles climb a road"),
    # A good one that copies none.
    ("a boy jumps from a rock into the lake",
     "a boy jumps into a lake from a high rock",
     "the boy leaps off the rock into the water",
     "kids swim in a lake while one jumps",
     "a boy in red shorts is in mid air over the lake",
     "jumping from a rock into clear water"),
    # Too long; and six words between references of five and seven.
    ("a cat and a cat and another cat sleep on the sofa next to a lamp and a plant and a pile of books",
     "a cat sleeps on the sofa",
     "two cats on a grey sofa",
     "cats asleep in a living room by the window",
     "a sofa with two sleeping cats"),
    ("a man plays an old violin",
     "a man plays the violin",
     "an old man plays an old violin",
     "a street musician with a violin in front of a shop"),
    # Words that no reference has, one of them twice.
    ("zebras and gnus and zebras near a lorry",
     "a red lorry is parked near a barn",
     "a lorry and a tractor on a farm",
     "an old lorry near a barn"),
    # About something else; and references that are all the same.
    ("a plate of noodles with two eggs",
     "snow covers the roofs of the village",
     "a village under deep snow",
     "smoke rises from chimneys in a snowy village"),
    ("a goalkeeper catches the ball",
     "a goalkeeper dives for the ball",
     "a goalkeeper dives for the ball",
     "a goalkeeper dives for the ball"),
    # Three words: no 4-gram.
    ("children fly kites",
     "children fly kites",
     "four children fly colourful kites on a windy beach",
     "kites in the sky above the beach"),
]
EMPTY = ("", "", "a door")  # a reference without words, like the candidate


def scores(pictures):
    """Of all pictures together, and of each: BLEU-1 to 4, ROUGE-L, CIDEr."""
    result = {i: [candidate] for i, (candidate, *_) in enumerate(pictures)}
    truth = {i: list(references) for i, (_, *references) in enumerate(pictures)}
    bleu, bleus = Bleu(4).compute_score(truth, result, verbose=0)
    (rouge, rouges), (cider, ciders) = (m.compute_score(truth, result) for m in (Rouge(), Cider()))

    def named(bleu, rouge, cider):
        return {"bleu": list(map(float, bleu)), "rouge_l": float(rouge), "cider": float(cider)}

    return named(bleu, rouge, cider), [named(*s) for s in zip(zip(*bleus), rouges, ciders)]


def corpus(pictures):
    together, each = scores(pictures)
    return {
        "candidates": [candidate.split() for candidate, *_ in pictures],
        "references": [[r.split() for r in references] for _, *references in pictures],
        "together": together,
        "each": each,
    }


def main():
    corpora = [corpus(PICTURES), corpus(PICTURES[5:6]), corpus([*PICTURES[:3], EMPTY])]
    (HERE / "captions.json").write_text(json.dumps(corpora) + "\n")


if __name__ == "__main__":
    main()
