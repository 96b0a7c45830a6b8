"""Holds the crate's answers against HiGHS (through scipy) on random tables of two to four axes.

    python3 -m venv VENV && VENV/bin/pip install scipy
    cargo build --release -p cintx-quota --example answer && \
        VENV/bin/python cintx-quota/compare/judge.py target/release/examples/answer 10000

For each question so many tables: is there one, joint margins, tolerances with importance, the largest smallest cell,
the smallest change and, of the smallest changes, the fewest cells shut and the least distorted. Prints one line for each
question, and every disagreement in full.
"""

import itertools
import json
import subprocess
import sys

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

JOINT = [
    [(0, 1), (2,)], [(0, 2), (1,)], [(0, 1), (1, 2)], [(0, 1), (0, 2), (1, 2)], [(0, 1), (2, 3)], [(0, 1), (1, 2), (3,)],
]


class Asker:
    """The crate, as a process that is asked one question after the other."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def incidence(lengths, axes):
    """A row for each combination of some axes, a column for each cell."""
    cells = np.array(list(itertools.product(*map(range, lengths))))
    place = np.zeros(len(cells), dtype=int)
    for axis in axes:
        place = place * lengths[axis] + cells[:, axis]
    rows = np.zeros((int(np.prod([lengths[axis] for axis in axes])), len(cells)))
    rows[place, np.arange(len(cells))] = 1
    return rows


def optimum(costs, rows, low, high, least, most):
    """The least cost of whole numbers, or None."""
    constraint = LinearConstraint(np.vstack(rows), np.concatenate(low), np.concatenate(high))
    found = milp(costs, constraints=constraint, integrality=np.ones(len(costs)), bounds=Bounds(least, most))
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    return found.fun


def random_table(random, sets, size):
    axes = max(max(axes) for axes in sets) + 1
    lengths = [int(random.integers(2, size[axes] + 1)) for _ in range(axes)]
    cells = int(np.prod(lengths))
    excluded = random.random(cells) < random.uniform(0, 0.7)
    hidden = np.where(excluded, 0, random.integers(0, 6, cells))
    rows = [incidence(lengths, axes) for axes in sets]
    most = np.where(excluded, 0, np.where(random.random(cells) < 0.3, random.integers(0, 6, cells), 1000))
    least = np.where(random.random(cells) < 0.1, np.minimum(most, 1), 0)
    return lengths, cells, hidden, rows, least, most


def question_of(ask, lengths, sets, counts, least, most):
    margins = [{"axes": list(axes), "counts": counts_.astype(int).tolist()} for axes, counts_ in zip(sets, counts)]
    limits = [None if limit >= 1000 else int(limit) for limit in most]
    return {"ask": ask, "lengths": lengths, "margins": margins, "least": least.tolist(), "most": limits}


def singles(random):
    return [(axis,) for axis in range(int(random.integers(2, 5)))]


def shift(random, counts):
    """Moves some of a margin's people to other categories."""
    for _ in range(int(random.integers(0, 3))):
        start, end = random.integers(0, len(counts), 2)
        if counts[start] > 0:
            counts[start] -= 1
            counts[end] += 1
    return counts


def feasible(random, asker, joint):
    sets = JOINT[random.integers(len(JOINT))] if joint else singles(random)
    lengths, cells, hidden, rows, least, most = random_table(random, sets, {2: 7, 3: 4, 4: 3})
    counts = [row @ hidden for row in rows]
    if not joint:
        counts = [shift(random, counts_) for counts_ in counts]
    answer = asker.ask(question_of("solve", lengths, sets, counts, least, most))
    exists = optimum(np.zeros(cells), rows, counts, counts, least, most) is not None
    if "refused" in answer or answer.get("impossible"):
        return not exists and answer.get("proved", True), answer
    found = np.array(answer.get("cells", []))
    kept = len(found) == cells and all((row @ found == counts_).all() for row, counts_ in zip(rows, counts))
    return exists and kept and (found >= least).all() and (found <= most).all(), answer


def tolerances(random, asker):
    sets = JOINT[random.integers(len(JOINT))] if random.random() < 0.25 else singles(random)
    lengths, cells, hidden, rows, least, most = random_table(random, sets, {2: 5, 3: 3, 4: 3})
    counts = [row @ hidden for row in rows]
    question = question_of("solve", lengths, sets, counts, least, most)
    low, high, weights = [], [], []
    for margin, counts_ in zip(question["margins"], counts):
        by, weight = int(random.integers(0, 4)), float(random.integers(1, 4))
        low.append(np.maximum(counts_ - by, 0))
        high.append(np.minimum(counts_ + by, max(hidden.sum(), counts_.max())))
        weights.append(weight)
        margin["ranges"] = [[int(a), int(b)] for a, b in zip(low[-1], high[-1])]
        margin["importance"] = weight
    answer = asker.ask(question)
    # Each category's deviation, above and below, as a column of its own.
    size = sum(map(len, counts))
    above = np.hstack([np.vstack(rows), -np.eye(size), np.eye(size)])
    asked = np.concatenate(counts)
    inside = np.hstack([np.vstack(rows), np.zeros((size, 2 * size))])
    whole = np.concatenate([np.ones(cells), np.zeros(2 * size)])[None]
    costs = np.concatenate([np.zeros(cells)] + 2 * [np.repeat(weights, list(map(len, counts)))])
    total = [np.array([hidden.sum()])]
    best = optimum(costs, [above, inside, whole], [asked, np.concatenate(low), *total], [asked, np.concatenate(high), *total],
                   np.concatenate([least, np.zeros(2 * size)]), np.concatenate([most, np.full(2 * size, 1000)]))
    if "refused" in answer:
        # Whatever was asked for here can be asked for.
        return False, answer
    if answer.get("impossible"):
        return best is None and answer["proved"], answer
    found = np.array(answer.get("cells", []))
    if best is None or len(found) != cells:
        return False, answer
    cost = sum(weight * np.abs(row @ found - counts_).sum() for weight, row, counts_ in zip(weights, rows, counts))
    return abs(cost - best) < 1e-6, answer


def smallest(random, asker):
    sets = JOINT[random.integers(len(JOINT))] if random.random() < 0.25 else singles(random)
    lengths, cells, hidden, rows, _, most = random_table(random, sets, {2: 5, 3: 3, 4: 3})
    most = np.where(most == 0, 0, 1000)
    hidden = np.where(most == 0, 0, hidden + 3)
    counts = [row @ hidden for row in rows]
    answer = asker.ask(question_of("smallest", lengths, sets, counts, np.zeros(cells, dtype=int), most))
    counted = (most > 0) & np.all([row.T @ counts_ > 0 for row, counts_ in zip(rows, counts)], axis=0)
    if not counted.any():
        return answer.get("value", 0) == 0, answer
    # One column more: the smallest cell.
    rows = [np.hstack([row, np.zeros((len(row), 1))]) for row in rows]
    above = np.hstack([np.eye(cells), -np.ones((cells, 1))])[counted]
    best = optimum(np.append(np.zeros(cells), -1), rows + [above], counts + [np.zeros(len(above))],
                   counts + [np.full(len(above), np.inf)], np.zeros(cells + 1), np.append(most, 1000))
    return best is not None and answer.get("value") == round(-best), answer


def rebalance(random, asker, statistics):
    sets = singles(random)
    lengths, cells, _, rows, _, _ = random_table(random, sets, {2: 4, 3: 3, 4: 2})
    targets = random.integers(1, 9, cells)
    done = np.minimum(random.integers(0, 9, cells), targets + random.integers(0, 3, cells))
    counts = [row @ (targets + (random.integers(0, 4, cells) if random.random() < 0.5 else 0)) for row in rows]
    if len({counts_.sum() for counts_ in counts}) > 1:
        counts = [row @ targets for row in rows]
    question = question_of("rebalance", lengths, sets, counts, np.zeros(cells, dtype=int), np.full(cells, 1000))
    answer = asker.ask(question | {"targets": targets.tolist(), "completes": done.tolist()})
    # Columns: the cells, and how far each is above and below its target.
    zeros, eye = np.zeros((cells, cells)), np.eye(cells)
    wide = [np.hstack([row, np.zeros((len(row), 2 * cells))]) for row in rows] + [np.hstack([eye, -eye, eye])]
    low = np.concatenate([done, np.zeros(2 * cells)])
    costs = np.concatenate([np.zeros(cells), np.ones(2 * cells)])
    best = optimum(costs, wide, counts + [targets], counts + [targets], low, np.full(3 * cells, 1000))
    if answer.get("impossible") or best is None:
        return best is None and answer.get("proved", False), answer
    if not answer.get("at_least", 1e9) <= best + 1e-6 or not answer["moved"] >= best - 1e-6:
        return False, answer
    statistics["planned"] += 1
    statistics["smallest"] += answer["moved"] == round(best)
    statistics["proved"] += answer["proved"]
    if answer["moved"] != round(best):
        return not answer["proved"] and answer["moved"] >= best, answer
    # Of the smallest changes: the fewest cells shut, then the least distorted.
    is_open = targets > done
    shut_rows = np.hstack([eye, zeros, zeros, np.diag(np.where(is_open, 1.0, 0.0))])
    wide = [np.hstack([row, np.zeros((len(row), cells))]) for row in wide]
    moved = np.concatenate([np.zeros(cells), np.ones(2 * cells), np.zeros(cells)])[None]
    rows_, low_, high_ = wide + [moved, shut_rows], counts + [targets, [best]], counts + [targets, [best]]
    low_, high_ = low_ + [np.where(is_open, done + 1, 0)], high_ + [np.full(cells, np.inf)]
    shut = np.concatenate([np.zeros(3 * cells), np.ones(cells)])
    fewest = optimum(shut, rows_, low_, high_, np.concatenate([low, np.zeros(cells)]),
                     np.concatenate([np.full(3 * cells, 1000), np.ones(cells)]))
    # With three and four axes the second objective is bounded, not promised: it is counted how often it is met.
    if answer["least_shut"] > round(fewest) or answer["shut"] < round(fewest):
        return False, answer
    if len(sets) > 2:
        statistics["more axes"] += 1
        statistics["fewest shut"] += answer["shut"] == round(fewest)
        statistics["fewest proved"] += answer["shut"] == answer["least_shut"]
        if answer["shut"] != round(fewest):
            return True, answer
    elif answer["shut"] != round(fewest):
        return False, answer
    # Squares in steps of one: each step of a cell is a column between 0 and 1, and costs more than the one before.
    parts = np.array(answer["proportional"])
    start = np.zeros(cells) if sum(counts[0]) > targets.sum() else done
    weights = np.maximum(parts - start, 1)
    steps = int(max(counts[0].max(), 40))
    columns = np.arange(steps)
    prices = ((2 * (done[:, None] + columns - parts[:, None]) + 1) / weights[:, None]).ravel()
    spread = np.hstack([eye, np.zeros((cells, 3 * cells)), -np.kron(eye, np.ones(steps))])
    rows_ = [np.hstack([np.atleast_2d(row), np.zeros((len(np.atleast_2d(row)), cells * steps))]) for row in rows_]
    fewest_row = np.concatenate([shut, np.zeros(cells * steps)])[None]
    least = optimum(np.concatenate([np.zeros(4 * cells), prices]), rows_ + [fewest_row, spread],
                    low_ + [[0], done], high_ + [[round(fewest)], done],
                    np.concatenate([low, np.zeros(cells + cells * steps)]),
                    np.concatenate([np.full(3 * cells, 1000), np.ones(cells + cells * steps)]))
    least += ((done - parts) ** 2 / weights).sum()
    is_least = answer["distortion"] <= least + 1e-3 * max(1, least)
    if len(sets) > 2:
        statistics["least distorted"] += is_least
        statistics["farthest"] = max(statistics["farthest"], answer["distortion"] / max(least, 1e-9) if not is_least else 1)
        # What is stated: nothing is less distorted than the bound, and so the plan no more than the gap says.
        bound, gap = answer["least_distorted"], answer["distortion_gap"]
        statistics["gap stated"] += gap is not None
        for limit in (0.001, 0.05, 0.25):
            statistics[f"gap {limit}"] += gap is not None and gap <= limit
        holds = gap is None or answer["distortion"] <= least * (1 + gap) + 1e-5
        return bound <= least + 1e-6 * max(1, least) and holds, answer
    return is_least, answer


def main():
    program, count = sys.argv[1], int(sys.argv[2])
    only = sys.argv[3:] or ["feasible", "joint", "tolerances", "smallest", "rebalance"]
    asker = Asker(program)
    for name in only:
        random = np.random.default_rng(12)
        names = ["planned", "smallest", "proved", "more axes", "fewest shut", "fewest proved", "least distorted"]
        names += ["farthest", "gap stated", "gap 0.001", "gap 0.05", "gap 0.25"]
        statistics = dict.fromkeys(names, 0)
        agree = 0
        for case in range(count):
            agrees, answer = {
                "feasible": lambda: feasible(random, asker, False),
                "joint": lambda: feasible(random, asker, True),
                "tolerances": lambda: tolerances(random, asker),
                "smallest": lambda: smallest(random, asker),
                "rebalance": lambda: rebalance(random, asker, statistics),
            }[name]()
            agree += bool(agrees)
            if not agrees:
                print(f"{name} {case}: {answer}", flush=True)
        more = f", {statistics}" if name == "rebalance" else ""
        print(f"{name}: {agree} of {count} agree{more}", flush=True)


if __name__ == "__main__":
    main()
