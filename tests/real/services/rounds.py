# SPDX-License-Identifier: MIT
"""The same work over and over in one process, until FOLDER/stop exists: rounds.py KIND FOLDER.

After each round a line goes to FOLDER/work: all the work done so far, and a digest of what this
round found, which is the same on every interpreter. Kinds are the functions below.
"""

import contextlib
import hashlib
import io
import json
import shutil
import sys
from pathlib import Path


class Rounds:
    """FOLDER/work and FOLDER/stop, for whoever works in rounds."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.work = 0

    def stopped(self):
        return (self.folder / "stop").exists()

    def done(self, work, found):
        """One round is done: so much more work, which found these bytes."""
        self.work += work
        line = {"work": self.work, "digest": hashlib.sha256(found).hexdigest()[:16]}
        with (self.folder / "work").open("a") as file:
            print(json.dumps(line), file=file)


def sphinx(folder, _):
    """Builds the documentation in the current folder; the site and all messages, sorted: some come
    from threads."""
    from sphinx.cmd.build import main

    site, trees = folder / "html", folder / "doctrees"
    shutil.rmtree(site, ignore_errors=True)
    shutil.rmtree(trees, ignore_errors=True)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(["-q", "-b", "html", "-d", str(trees), "doc", str(site)])
    lines = sorted(said.getvalue().replace(str(folder), "OUT").splitlines())
    pages = b"".join(path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file())
    return ("\n".join(lines) + str(status)).encode() + pages


def mypy(_folder, _):
    """Checks itself, without a cache; every line it says."""
    from mypy import api

    words = "--config-file= --strict --cache-dir=/dev/null --exclude=typeshed --exclude=mypy/test"
    out, err, status = api.run([*words.split(), "-p", "mypy"])
    return f"{out}{err}{status}".encode()


models = {}  # the latest of them, as a service of many models would keep
MODELS = 60


def fits(_folder, number):
    """Scikit-learn: a search over trees, a forest, a hierarchy, texts, and a fit that fails."""
    import numpy
    from sklearn import cluster, ensemble, feature_extraction, neighbors, tree
    from sklearn.exceptions import NotFittedError

    chance = numpy.random.RandomState(number)
    points, texts = chance.rand(800, 10), chance.randint(0, 3_000, (800, 12))
    classes = (points[:, 0] + points[:, 1] ** 2 > 0.8).astype(int) + (points[:, 2] > 0.7)
    forest = ensemble.RandomForestClassifier(40, random_state=number).fit(points, classes)
    graph = neighbors.kneighbors_graph(points, 8, include_self=False)
    hierarchy = cluster.AgglomerativeClustering(9, connectivity=graph).fit(points)
    words = feature_extraction.text.TfidfVectorizer()
    counted = words.fit_transform(" ".join(f"word{word}" for word in text) for text in texts)
    models[number % MODELS] = forest, hierarchy, words
    with contextlib.suppress(NotFittedError):
        tree.DecisionTreeClassifier().predict(points)
    said = tree.export_text(forest[0]) + "".join(sorted(words.vocabulary_))
    found = searched(points, classes), forest.predict(points), hierarchy.labels_
    return said.encode() + b"".join(map(bytes, found)) + counted.sum(axis=0).tobytes()


def searched(points, classes):
    """What the best of some trees says."""
    from sklearn import model_selection, pipeline, preprocessing, tree

    steps = preprocessing.StandardScaler(), tree.DecisionTreeClassifier(random_state=0)
    choices = {"decisiontreeclassifier__max_depth": [2, 4, 8]}
    search = model_selection.GridSearchCV(pipeline.make_pipeline(*steps), choices, cv=3)
    return search.fit(points, classes).predict(points)


def main(kind, folder):
    rounds = Rounds(folder)
    while not rounds.stopped():
        rounds.done(1, kind(rounds.folder, rounds.work))


if __name__ == "__main__":
    main({"sphinx": sphinx, "mypy": mypy, "fits": fits}[sys.argv[1]], sys.argv[2])
