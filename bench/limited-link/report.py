"""Makes the data of bench/limited-link and reads its events. Called by run.sh."""
import json
import os
import statistics
import struct
import sys


def data(path, samples, width, classes):
    """Random samples; what is learnt does not matter here."""
    x, y = samples * width * 4, samples * 8
    header = json.dumps({"x": {"dtype": "F32", "shape": [samples, width], "data_offsets": [0, x]}, "y": {"dtype": "I64", "shape": [samples], "data_offsets": [x, x + y]}}).encode()
    header += b" " * (-len(header) % 8)
    row = struct.pack(f"<{width}f", *(b / 255 for b in os.urandom(width)))
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for sample in range(samples):
            at = sample * 4 % len(row)
            file.write(row[at:] + row[:at])
        file.write(b"".join(struct.pack("<q", sample % classes) for sample in range(samples)))


# What a run must reach for exit code 0. Machines differ and are shared: each is well within what was measured, and far from what a fault would give.
SLOWEST = 1.2    # step / schedule bound
GAIN = 1.15      # faster than without overlap
SPREAD = 0.3     # from the first bucket to the last, as a share of the compute: near 0 when all leave at the end


def steps(path):
    """Step events without the first quarter, in which everything is still being touched for the first time."""
    with open(path, encoding="utf-8") as lines:
        found = [e for e in map(json.loads, lines) if e.get("event") == "step"]
    if not found:
        sys.exit(f"{path} holds no step; see the silos' logs.")
    return found[len(found) // 4 + 1:]


def compute(step):
    return max(rank["compute"] for rank in step["ranks"])


def size(step):
    return sum(bucket["bytes"] for bucket in step["buckets"])


def bound(step, rate):
    """When the last bucket is through if each leaves as soon as it is ready and the wire before it is free; with two silos each direction carries a gradient's bytes once."""
    free = 0.0
    for bucket in step["buckets"]:
        free = max(free, bucket["ready"]) + bucket["bytes"] * 8 / rate
    return free


def median(values):
    return statistics.median(list(values))


def compare(rate, off, on):
    wire = size(on[0]) * 8 / rate
    print(f"link {rate / 1e6:.0f} Mbit/s each way, {size(on[0]) / 2**20:.1f} MiB per step; compute {median(map(compute, on)) * 1e3:.0f} ms, wire {wire * 1e3:.0f} ms")
    for name, run in (("overlap off", off), ("overlap on", on)):
        print(f"{name}: step {median(s['seconds'] for s in run) * 1e3:.0f} ms (fastest {min(s['seconds'] for s in run) * 1e3:.0f}), exposed {median(s['ranks'][0]['exposed'] for s in run) * 1e3:.0f} ms")
    ratios = [s["seconds"] / bound(s, rate) for s in on]
    gain = median(s["seconds"] for s in off) / median(s["seconds"] for s in on)
    spread = median((s["buckets"][-1]["ready"] - s["buckets"][0]["ready"]) / compute(s) for s in on)
    print(f"step / schedule bound: {median(ratios):.3f} (bound {median(bound(s, rate) for s in on) * 1e3:.0f} ms)")
    print(f"faster than without overlap: {gain:.3f} times")
    print(f"buckets leave over {spread:.3f} of the compute")
    print("buckets of the last step (MiB ready-at-ms): " + " ".join(f"{b['bytes'] / 2**20:.2f}@{b['ready'] * 1e3:.0f}" for b in on[-1]["buckets"]))
    missed = []
    if median(ratios) > SLOWEST:
        missed.append(f"a step takes {median(ratios):.3f} times its schedule bound, expected {SLOWEST} at most")
    if gain < GAIN:
        missed.append(f"overlap makes a step {gain:.3f} times as fast, expected {GAIN} at least")
    if spread < SPREAD:
        missed.append(f"the buckets leave over {spread:.3f} of the compute, expected {SPREAD} at least")
    if missed:
        sys.exit("\n".join(missed))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["data", path, samples, width, classes]:
            data(path, int(samples), int(width), int(classes))
        case ["rate", path]:
            free = steps(path)
            print(round(size(free[0]) * 8 / median(map(compute, free))))
        case ["compare", rate, off, on]:
            compare(float(rate), steps(off), steps(on))
        case _:
            sys.exit(__doc__)
