"""Side by side with ipfn, humanleague and OR-tools on the same tables: time, memory, margin error before and after rounding.

    python3 -m venv VENV && VENV/bin/pip install numpy ipfn humanleague ortools
    cargo build --release -p cintx-quota --example solve && \
        VENV/bin/python cintx-quota/compare/speed.py target/release/examples/solve

Prints one Markdown table. Each program gets the same margins and the same seed; times exclude reading and printing, and
memory is the peak of a process of its own. "processor" is the time that the program had a processor for: what counts on
a machine that is shared, but for times of a few milliseconds too coarse. "ipfn, as exact" stops where ours does. "before" is the largest margin error of the fractions, "after" that of the
whole numbers: ipfn does not round, so its fractions are rounded one by one, as its users do. OR-tools does not fit: it
rounds numpy's fit by minimum-cost flow, which needs two axes.
"""

import multiprocessing
import resource
import subprocess
import sys
import time

import numpy as np

TABLES = [
    ((25, 14), 1_000), ((10, 7, 5), 1_000), ((100, 100), 100_000), ((25, 20, 20), 100_000), ((10, 10, 10, 10), 100_000),
    ((6, 6, 6, 6, 8), 100_000), ((300, 330), 1_000_000), ((60, 40, 41), 1_000_000), ((10, 10, 10, 10, 10), 1_000_000),
    ((1000, 1000), 10_000_000), ((100, 100, 100), 10_000_000),
]


# Seconds for one program and table.
LIMIT = 20


def margin(random, length, total):
    weights = random.uniform(0.2, 1.0, length)
    counts = np.floor(weights / weights.sum() * total).astype(np.int64)
    counts[: total - counts.sum()] += 1
    return counts


def error(cells, margins):
    axes = range(cells.ndim)
    sums = [cells.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes]
    return max(float(np.abs(sum_ - margin_).max()) for sum_, margin_ in zip(sums, margins))


def with_ours(program, margins, seed, fit_only=False):
    lines = ["margin " + " ".join(map(str, counts)) for counts in margins]
    lines.append("seed " + " ".join(repr(float(weight)) for weight in seed.ravel()))
    run = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, check=True)
    whole, processor, fit, processor_of_fit, fit_error, _, _ = map(float, run.stderr.split())
    cells = np.array(run.stdout.split(), dtype=np.int64).reshape(seed.shape)
    return (fit, processor_of_fit, fit_error, None) if fit_only else (whole, processor, fit_error, cells)


class Clock:
    """The time that passes, and the part of it in which this process had a processor."""

    def __init__(self):
        self.started = time.perf_counter(), time.process_time()

    def read(self):
        return time.perf_counter() - self.started[0], time.process_time() - self.started[1]


def with_ipfn(margins, seed, **options):
    from ipfn import ipfn

    aggregates = [counts.astype(float) for counts in margins]
    clock = Clock()
    fit = ipfn.ipfn(seed.copy(), aggregates, [[axis] for axis in range(seed.ndim)], **options).iteration()
    times = clock.read()
    return *times, error(fit, margins), np.rint(fit).astype(np.int64)


def with_humanleague(margins, seed):
    import humanleague

    indices = [np.array([axis]) for axis in range(seed.ndim)]
    clock = Clock()
    fit, _ = humanleague.ipf(seed, indices, [counts.astype(float) for counts in margins])
    try:
        rounded, _ = humanleague.integerise(fit)
    except RuntimeError as refused:
        rounded = str(refused)
    return *clock.read(), error(fit, margins), rounded


def fitted(margins, seed):
    """Iterative proportional fitting with numpy, to the tolerance of the crate."""
    fit = seed * (margins[0].sum() / seed.sum())
    for _ in range(10_000):
        for axis, counts in enumerate(margins):
            others = tuple(other for other in range(fit.ndim) if other != axis)
            factors = counts / fit.sum(axis=others)
            fit *= factors.reshape([-1 if other == axis else 1 for other in range(fit.ndim)])
        if error(fit, margins) <= min(1e-9 * margins[0].sum(), 1e-6):
            break
    return fit


def with_ortools(margins, seed):
    from ortools.graph.python import min_cost_flow

    clock = Clock()
    fit = fitted(margins, seed)
    floor = np.floor(fit + 1e-9)
    flow = min_cost_flow.SimpleMinCostFlow()
    rows, columns = np.indices(fit.shape)
    # A cell that is rounded up costs the change of its square, in millionths.
    costs = np.rint((1 - 2 * (fit - floor)) * 1e6).astype(np.int64).ravel()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        rows.ravel(), columns.ravel() + fit.shape[0], np.ones(fit.size, dtype=np.int64), costs)
    flow.set_nodes_supplies(np.arange(sum(fit.shape)), np.concatenate([
        (margins[0] - floor.sum(axis=1)).astype(np.int64), (floor.sum(axis=0) - margins[1]).astype(np.int64)]))
    status = flow.solve()
    assert status == flow.OPTIMAL, status
    cells = (floor + np.array(flow.flows(arcs)).reshape(fit.shape)).astype(np.int64)
    return *clock.read(), error(fit, margins), cells


def measure(name, program, margins, seed):
    """One program on one table: the best time, the errors before and after, and memory of a child process."""
    run = {
        "cintx-quota": lambda: with_ours(program, margins, seed),
        "cintx-quota, fit": lambda: with_ours(program, margins, seed, fit_only=True),
        "ipfn": lambda: with_ipfn(margins, seed),
        # Relative to the targets, of which the largest are some thousands: a millionth of a person.
        "ipfn, as exact": lambda: with_ipfn(margins, seed, convergence_rate=1e-10, rate_tolerance=0, max_iteration=100),
        "humanleague": lambda: with_humanleague(margins, seed),
        "OR-tools": lambda: with_ortools(margins, seed),
    }[name]
    repeats = [run() for _ in range(5 if seed.size < 10_000 else 1)]
    _, _, before, cells = repeats[0]
    after = f"{error(cells, margins):.0f}" if isinstance(cells, np.ndarray) else f"refused: {cells}" if cells else ""
    whose = resource.RUSAGE_CHILDREN if name.startswith("cintx-quota") else resource.RUSAGE_SELF
    peak = resource.getrusage(whose).ru_maxrss / 1024
    return min(repeat[0] for repeat in repeats), min(repeat[1] for repeat in repeats), before, after, peak


def main():
    random = np.random.default_rng(1)
    print("| table | program | seconds | processor | MB | margin error before | margin error after |")
    print("|---|---|---|---|---|---|---|")
    for shape, total in TABLES:
        margins = [margin(random, length, total) for length in shape]
        seed = random.uniform(0.05, 1.0, shape)
        for name in ["cintx-quota", "OR-tools", "humanleague", "cintx-quota, fit", "ipfn", "ipfn, as exact"]:
            if name == "OR-tools" and len(shape) > 2:
                continue
            line = f"| {' × '.join(map(str, shape))} | {name} |"
            # A process of its own, which can be ended when it takes too long.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                try:
                    seconds, processor, before, after, peak = pool.apply_async(
                        measure, (name, sys.argv[1], margins, seed)).get(LIMIT)
                except multiprocessing.TimeoutError:
                    print(f"{line} given up after {LIMIT} | | | | |", flush=True)
                    continue
                except ImportError:
                    print(f"{line} not installed | | | | |", flush=True)
                    continue
            print(f"{line} {seconds:.6f} | {processor:.6f} | {peak:.0f} | {before:.1e} | {after} |", flush=True)


if __name__ == "__main__":
    main()
