"""Side by side with ipfn and humanleague on the same tables: time, and margin error before and after rounding.

    python3 -m venv VENV && VENV/bin/pip install numpy ipfn humanleague
    cargo build --release -p cintx-quota --example solve && \
        VENV/bin/python cintx-quota/benches/compare.py target/release/examples/solve

Prints one Markdown table. Each program gets the same margins and the same seed; times exclude reading and
printing. "before" is the largest margin error of the fractions, "after" that of the whole numbers: ipfn does
not round, so its fractions are rounded one by one, as its users do.
"""

import multiprocessing
import resource
import subprocess
import sys
import time

import humanleague
import numpy as np
from ipfn import ipfn

TABLES = [
    ((2, 5), 500), ((4, 6), 500), ((25, 14), 1_000), ((10, 7, 5), 1_000), ((100, 100), 100_000),
    ((1000, 1000), 10_000_000),
]


# Seconds for one program and table.
LIMIT = 60


def margin(random, length, total):
    weights = random.uniform(0.2, 1.0, length)
    counts = np.floor(weights / weights.sum() * total).astype(np.int64)
    counts[: total - counts.sum()] += 1
    return counts


def error(cells, margins):
    axes = range(cells.ndim)
    sums = [cells.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes]
    return max(float(np.abs(sum_ - margin_).max()) for sum_, margin_ in zip(sums, margins))


def with_ours(program, margins, seed):
    lines = ["margin " + " ".join(map(str, counts)) for counts in margins]
    lines.append("seed " + " ".join(repr(float(weight)) for weight in seed.ravel()))
    run = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, check=True)
    seconds, fit_error, _, _ = map(float, run.stderr.split())
    return seconds, fit_error, np.array(run.stdout.split(), dtype=np.int64).reshape(seed.shape)


def with_ipfn(margins, seed):
    aggregates = [counts.astype(float) for counts in margins]
    started = time.perf_counter()
    fit = ipfn.ipfn(seed.copy(), aggregates, [[axis] for axis in range(seed.ndim)]).iteration()
    rounded = np.rint(fit).astype(np.int64)
    return time.perf_counter() - started, error(fit, margins), rounded


def with_humanleague(margins, seed):
    indices = [np.array([axis]) for axis in range(seed.ndim)]
    started = time.perf_counter()
    fit, _ = humanleague.ipf(seed, indices, [counts.astype(float) for counts in margins])
    try:
        rounded, _ = humanleague.integerise(fit)
    except RuntimeError as refused:
        rounded = str(refused)
    return time.perf_counter() - started, error(fit, margins), rounded


def measure(name, program, margins, seed):
    """One program on one table: the best time, the errors before and after, and memory of a child process."""
    run = {
        "cintx-quota": lambda: with_ours(program, margins, seed),
        "ipfn": lambda: with_ipfn(margins, seed),
        "humanleague": lambda: with_humanleague(margins, seed),
    }[name]
    repeats = [run() for _ in range(5 if seed.size < 10_000 else 1)]
    _, before, cells = repeats[0]
    after = f"{error(cells, margins):.0f}" if isinstance(cells, np.ndarray) else f"refused: {cells}"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return min(repeat[0] for repeat in repeats), before, after, peak


def main():
    random = np.random.default_rng(1)
    print("| table | program | seconds | margin error before | margin error after |")
    print("|---|---|---|---|---|")
    peaks = []
    for shape, total in TABLES:
        margins = [margin(random, length, total) for length in shape]
        seed = random.uniform(0.05, 1.0, shape)
        for name in ["cintx-quota", "ipfn", "humanleague"]:
            line = f"| {' × '.join(map(str, shape))} | {name} |"
            # A process of its own, which can be ended when it takes too long.
            with multiprocessing.Pool(1) as pool:
                try:
                    seconds, before, after, peak = pool.apply_async(
                        measure, (name, sys.argv[1], margins, seed)).get(LIMIT)
                except multiprocessing.TimeoutError:
                    print(f"{line} given up after {LIMIT} | | |", flush=True)
                    continue
            print(f"{line} {seconds:.6f} | {before:.1e} | {after} |", flush=True)
            if name == "cintx-quota":
                peaks.append(peak)
    print(f"\nPeak memory of cintx-quota on the last table: {peaks[-1]:.0f} MB.")


if __name__ == "__main__":
    main()
