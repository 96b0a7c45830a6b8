"""Lets 500 target groups among 10,000 live for a simulated month, and tells how
long that took, what memory it took and how long the page takes to answer.

    month.py PROGRAM [GROUPS [LIVE]]

PROGRAM is a cintx-sandbox built for release. Seeds are written to a file that
is deleted at the end.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAM = sys.argv[1]
GROUPS, LIVE = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((2, 10_000), (3, 500)))
PORT = 8196
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(path, body=None):
    """An answer and the milliseconds that it took."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, {"content-type": "application/json"})
    began = time.monotonic()
    with OPENER.open(request) as answer:
        text = answer.read().decode()
    return text, (time.monotonic() - began) * 1000


def seeds():
    for project in range(GROUPS // 100):
        yield f'[[project]]\nname = "Project {project:03}"\n'
        for number in range(project * 100, project * 100 + 100):
            yield f'[[project.target_group]]\nname = "Group {number:05}"\nlocale = "eng_us"\nbusiness_unit = 3848\n'
            yield 'price = "2.50"\nincidence = 0.5\n'
            # Goals that a month does not fill, since what is full has no field.
            live = number % (GROUPS // LIVE) == 0
            yield 'goal = 20000\nstatus = "live"\ndays_left = 40\n' if live else 'goal = 500\nstatus = "draft"\n'


def memory(process):
    facts = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return [int(line.split()[1]) // 1024 for name in ("VmHWM", "VmRSS") for line in facts.split("\n") if name in line]


def processor(process):
    """The seconds of processor time that it has taken."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def page(word):
    paths = ["/", "/events?once=1", "/events?once=1&search=group+04", "/events?once=1&page=300"]
    times = sorted(ask(path)[1] for path in paths * 10)
    print(f"{word}: page {times[len(times) // 2]:.0f} ms in the middle, {times[-1]:.0f} ms at most")


with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
    file.write("".join(seeds()))
    file.flush()
    began = time.monotonic()
    process = subprocess.Popen(
        [PROGRAM, "--port", str(PORT), "--scenario", "lifelike", "--speed", "0", "--seed-file", file.name],
        stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                ask("/control/about")
                break
            except OSError:
                time.sleep(0.1)
        print(f"{GROUPS} groups, {LIVE} live: there after {time.monotonic() - began:.1f} s")
        page("at the start")
        began, slowest = time.monotonic(), 0
        for _ in range(30 * 24):
            slowest = max(slowest, ask("/control/clock", {"advance_seconds": 3600})[1])
        seconds = time.monotonic() - began
        event = json.loads(ask("/events?once=1")[0].split("data: ", 1)[1])
        print(f"30 days in {seconds:.0f} s, {processor(process):.0f} s of processor time, an hour in "
              f"{slowest:.0f} ms at most: {event['tiles']['live']} live, "
              f"{event['tiles']['completes']} completes")
        page("at the end")
        print("memory: {} MB at its height, {} MB at the end".format(*memory(process)))
    finally:
        process.terminate()
        process.wait()
