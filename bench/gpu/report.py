#!/usr/bin/env python3
"""What run.sh found, as JSON and as a table; standard library only.

report.py report WORK PACK OUT   reads WORK/steps.tsv and what the steps wrote, and PACK/reference; writes OUT/results.json and OUT/report.md
report.py reviews DIR            writes a small set of film reviews in the folders of aclImdb
"""
import json
import os
import random
import sys


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def last_json(text):
    """The last line that is a JSON object; None where there is none."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError:
                return None
    return None


def training(text):
    """Losses, hash and fate of a run, from its events."""
    events = []
    for line in text.splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            # A run that was cut short may end within a line.
            continue
    end = events[-1] if events else {}
    return {
        "ended": end.get("event"),
        "error": end.get("error"),
        "weightsSha256": end.get("weightsSha256"),
        "samplesPerSecond": end.get("samplesPerSecond"),
        "losses": [event["loss"] for event in events if event.get("event") == "step"],
    }


def compare(found, reference):
    """How far two loss curves are apart, relative to the reference; None where a loss or a step is missing."""
    if not found or len(found) != len(reference) or None in found or None in reference:
        return None
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(found, reference))


def collect(work, pack):
    steps, trainings = [], []
    for line in read(os.path.join(work, "steps.tsv")).splitlines():
        name, code, begin, end, limit = line.split("\t")
        steps.append({"step": name, "exitCode": int(code), "seconds": round(float(end) - float(begin), 2), "limitSeconds": int(limit), "timedOut": code in ("124", "137")})
        if name.startswith("train-"):
            job = name[len("train-"):]
            run = training(read(os.path.join(work, name + ".out")))
            reference = training(read(os.path.join(pack, "reference", job + ".jsonl")))
            run.update(
                job=job, exitCode=int(code), referenceLosses=reference["losses"], referenceSha256=reference["weightsSha256"],
                sameBits=run["weightsSha256"] is not None and run["weightsSha256"] == reference["weightsSha256"],
                largestLossDifference=compare(run["losses"], reference["losses"]))
            trainings.append(run)
    return {
        "archive": read(os.path.join(pack, "revision")).strip(),
        "machine": read(os.path.join(work, "machine.out")).splitlines(),
        "gpus": read(os.path.join(work, "gpus.out")).splitlines(),
        "symbols": last_json(read(os.path.join(work, "symbols.out"))),
        "doctor": last_json(read(os.path.join(work, "doctor.out"))),
        "reference": json.loads(read(os.path.join(pack, "reference", "environment.json")) or "null"),
        "steps": steps,
        "trainings": trainings,
    }


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]


def fate(step):
    return "ok" if step["exitCode"] == 0 else "over its limit" if step["timedOut"] else f"exit code {step['exitCode']}"


def loss_words(run):
    if run["largestLossDifference"] is None:
        return run["error"]["message"] if run["error"] else "no whole curve"
    return f"{run['largestLossDifference']:.1e}"


def report(results):
    doctor, symbols = results["doctor"] or {}, results["symbols"] or {}
    lines = ["# GPU machine", "", f"Programs {results['archive']}. Fingerprint: {doctor.get('fingerprint') or 'none'}.", "", "```", *results["machine"], *results["gpus"], "```", ""]
    lines += ["## Steps", "", *table(["step", "result", "s"], [[s["step"], fate(s), s["seconds"]] for s in results["steps"]]), ""]
    if symbols:
        words = [f"{len(symbols['missing'])} missing, {len(symbols['unused'])} more that training can do without"] if "needed" in symbols else [symbols["error"]["message"]]
        lines += ["## Symbols", "", f"{symbols.get('libtorch', '')}: {symbols.get('needed', 'none')} looked up, {words[0]}." if "needed" in symbols else words[0], ""]
        lines += [f"- `{name}`" for name in symbols.get("missing", [])] + [f"- `{name}` (can do without)" for name in symbols.get("unused", [])] + [""]
    if doctor.get("checks"):
        lines += ["## Doctor", "", *table(["check", "result", "detail"], [[c["name"], "WRONG" if not c["ok"] else "warning" if c.get("remedy") else "ok", c["detail"]] for c in doctor["checks"]]), ""]
    if results["trainings"]:
        reference = results["reference"] or {}
        rows = [
            [run["job"], run["ended"], "yes" if run["sameBits"] else "no", loss_words(run), (run["weightsSha256"] or "none")[:16], (run["referenceSha256"] or "none")[:16]]
            for run in results["trainings"]
        ]
        lines += [
            "## Trainings on cores, against the reference", "",
            f"Reference: {reference.get('fingerprint', 'unknown')}, {reference.get('cpu', 'unknown')}. Equal bits are promised for equal fingerprints only.", "",
            *table(["job", "ended", "same bits", "largest relative loss difference", "hash", "reference"], rows), "",
        ]
    return "\n".join(lines)


def write(path, text):
    """Whole or not at all: the run may be cut short at any moment."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


def write_reviews(folder):
    draw = random.Random(1)
    words = {"pos": ["good", "fine", "great", "moving"], "neg": ["bad", "awful", "poor", "dull"]}
    for split, count in (("train", 100), ("test", 20)):
        for kind, own in words.items():
            place = os.path.join(folder, split, kind)
            os.makedirs(place)
            for i in range(count):
                text = " ".join(draw.choice(own if draw.random() < 0.3 else ["the", "film", "was", "a", "story", "of", "it", "and"]) for _ in range(30))
                write(os.path.join(place, f"{i}_{8 if kind == 'pos' else 2}.txt"), text)


def main(verb, *arguments):
    if verb == "reviews":
        write_reviews(*arguments)
    else:
        work, pack, out = arguments
        results = collect(work, pack)
        write(os.path.join(out, "results.json"), json.dumps(results, indent=1))
        write(os.path.join(out, "report.md"), report(results) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
