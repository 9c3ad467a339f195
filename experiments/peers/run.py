"""Runs a program and tells what it cost."""

import json
import subprocess
import sys
from itertools import dropwhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A process of its own: the peak of memory that a parent knows of its child begins with the parent's.
ALONE = """import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:]).returncode
wall, usage = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
print()
print(json.dumps({"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024}))
sys.exit(code)"""


def ran(command):
    """What it printed, what it said, wall and CPU seconds with the MiB of its largest process."""
    done = subprocess.run([sys.executable, "-c", ALONE, *map(str, command)], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    out, cost = done.stdout.rstrip().rsplit("\n", 1)
    return out, done.stderr, json.loads(cost)


def thread_seconds(said):
    """Thread seconds of each stage, of the table that --timings prints."""
    table = dropwhile(lambda line: not line.startswith("stage "), said.splitlines())
    return {line[:28].strip(): float(line[28:38]) for line in table if "%" in line[38:48]}
