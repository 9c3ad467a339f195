"""METEOR (Denkowski & Lavie 2014) of captions, by the Java program inside pycocoevalcap 1.2.

    tuwen caption --data DIR --split test --recipe FILE --out captions.json
    python3 experiments/peers/meteor.py captions.json

It needs Java and `pip install -r experiments/peers/meteor-requirements.txt`. Words are taken as tuwen cut them.
"""

import json
import sys

from pycocoevalcap.meteor.meteor import Meteor


def main(path):
    with open(path, encoding="utf-8") as file:
        judged = json.load(file)
    references = {i: [" ".join(words) for words in row["reference_words"]] for i, row in enumerate(judged)}
    candidates = {i: [" ".join(row["words"])] for i, row in enumerate(judged)}
    score, _ = Meteor().compute_score(references, candidates)
    print(json.dumps({"pictures": len(judged), "meteor": score}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
