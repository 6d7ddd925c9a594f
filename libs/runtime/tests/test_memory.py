import subprocess
import sys

# Threads that each take and free blocks of a size that is not mapped by itself; then what is left.
CHURN = """
import gc, sys, threading
from chronicle_runtime import give_memory_back

def resident():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

if sys.argv[1] == "back":
    assert give_memory_back()

started = threading.Barrier(8)

def churn():
    started.wait()
    kept = [bytearray(100_000) for _ in range(100)]
    started.wait()
    del kept

before = resident()
threads = [threading.Thread(target=churn) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
gc.collect()
print(resident() - before)
"""


class TestMemory:
    def test_that_threads_freed_goes_back(self):
        def left(how):
            done = subprocess.run(
                [sys.executable, "-c", CHURN, how], capture_output=True, text=True, check=True
            )
            return int(done.stdout)

        assert left("back") < 40_000  # kilobytes, of the 80,000 that were taken at once
