"""`make bench`: every figure that we claim, one part after the other."""

import subprocess
import sys

PARTS = ("matching", "storage", "house", "delivery", "door", "door_moves")

for part in PARTS:
    print(f"== {part}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=True)
