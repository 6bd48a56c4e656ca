#!/usr/bin/env python3
"""Records a real run as the picture train.svg: docs/images/record.py, from the checkout's root, after a build."""
import html
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = [
    "dtrain train examples/shapes.yaml --ranks 2 --set epochs=2 --out runs/two",
    "dtrain train examples/shapes.yaml --ranks 1 --set epochs=2 --out runs/one | grep weights",
]
WIDTH, LINE, CHARACTER = 96, 18, 7.8


def run(command):
    program = ROOT / "artifacts/bin/Client/release"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}"})
    progress = done.stderr.splitlines()
    # Of the lines of progress the first and the last two are enough.
    kept = progress if len(progress) <= 4 else progress[:1] + ["..."] + progress[-2:]
    return [f"$ {command}"] + (kept if "|" not in command else []) + done.stdout.splitlines() + [""]


def draw(lines):
    lines = [line.replace(str(ROOT), "~/dtrain")[:WIDTH] for line in lines]
    height = LINE * len(lines) + 24
    width = int(WIDTH * CHARACTER) + 32
    rows = "\n".join(
        f'<text x="16" y="{24 + LINE * i}" fill="{"#7ee787" if line.startswith("$") else "#e6edf3"}">{html.escape(line)}</text>'
        for i, line in enumerate(lines) if line)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n'
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" xml:space="preserve">\n{rows}\n</g>\n</svg>\n')


if __name__ == "__main__":
    text = [line for command in COMMANDS for line in run(command)]
    (ROOT / "docs/images/train.svg").write_text(draw(text))
    print("\n".join(text))
