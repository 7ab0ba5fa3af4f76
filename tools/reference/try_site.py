#!/usr/bin/env python3
"""Tries the Python site against the real programs, on loopback and a free port, in a temporary folder.

    try_site.py --bins DIR            five Python sites, 2 rounds, the mean checked; then 4 Swift sites and 1 Python site, 2 rounds;
                                      then the same with the Python site vanishing in every phase of round 1, and coming back
    try_site.py --bins DIR --only python | swift | drop | recover

DIR holds secagg, secagg-server, secagg-client, secagg-roster and secagg-trainer. Ends with 0 if every check held. Every wait is
bounded; what was started is stopped by its process id. `--keep` leaves the folders, with every log.
"""
import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

from secagg_site.driver import PHASES
from secagg_site.weights import Weights

HERE = Path(__file__).resolve().parent
CLASSES = ["one", "two", "three"]
CONFIGURATION = """job: try-site
model: {{name: yolov5n, classes: [{classes}], image_size: 64}}
training: {{fed_rounds: {rounds}, local_epochs: 1, batch_size: 4, warmup_epochs: 0, augment: false, learning_rate: 0.001}}
security: {{aggregation: {{min_sites: 3}}}}
communication:
  listen: 127.0.0.1:0
  deadlines: {{join: 60, plan: {short}, keys: {short}, shares: {short}, acknowledge: {short}, masked_input: {long}, consistency: {short},
    reveal: {short}}}
"""


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)
    print(f"  ok  {what}", flush=True)


class Federation:
    """One consortium, one server, `swift` Swift sites and then `python` Python sites, in a folder of their own."""

    def __init__(self, bins, folder, swift, python, rounds=2):
        self.bins, self.folder, self.processes, self.clients = Path(bins), Path(folder), [], {}
        self.names = [f"swift-{i}" for i in range(swift)] + [f"python-{i}" for i in range(python)]
        self.swift, self.rounds = swift, rounds

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        limit = time.monotonic() + 5
        for process in self.processes:
            try:
                process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def call(self, *command):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, cwd=self.folder)
        if done.returncode:
            raise Failed(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done.stdout

    def start(self, log, *command):
        with open(self.folder / log, "ab") as output:
            process = subprocess.Popen([str(c) for c in command], stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self.folder,
                                       env=dict(os.environ, OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1"))
        self.processes.append(process)
        return process

    def prepare(self):
        """Keys, requests, roster, weights, configuration: docs/federation.md, 1 to 4."""
        roster, f = self.bins / "secagg-roster", self.folder
        self.call(roster, "init", "--directory", "consortium")
        self.call(self.bins / "secagg-server", "init", "--directory", "server", "--host", "127.0.0.1")
        self.call(roster, "add-server", "server/server.request", "--roster", "consortium/roster.json")
        for index, name in enumerate(self.names):
            if index < self.swift:
                images(f / name / "data", index)
                self.call(self.bins / "secagg-client", "enroll", "--name", name, "--directory", name, "--data", "data/data.yaml")
                printed = None
            else:
                printed = self.call(sys.executable, HERE / "site.py", "enroll", "--name", name, "--directory", name)
            fingerprint = ["--fingerprint", printed.split("fingerprint")[1].split()[0]] if printed else []
            self.call(roster, "add-site", f"{name}/{name}.request", "--roster", "consortium/roster.json", *fingerprint)
        self.call(roster, "sign", "--roster", "consortium/roster.json", "--key", "consortium/consortium.key")
        for party in ["server"] + self.names:
            for file in ("roster.json", "consortium.pub"):
                shutil.copy(f / "consortium" / file, f / party / file)
        self.call(self.bins / "secagg", "init-weights", "--cfg", "yolov5n", "--classes", len(CLASSES), "--out",
                  "server/initial.safetensors")
        text = CONFIGURATION.format(classes=", ".join(CLASSES), rounds=self.rounds, short=20, long=90)
        (f / "server/federated.yaml").write_text(text)

    def serve(self):
        self.server = self.start("server.log", self.bins / "secagg-server", "run", "--config", "server/federated.yaml", "--weights",
                                 "server/initial.safetensors", "--json")
        self.wait(lambda: self.found("listening"), 20, "the server listens")
        self.address = f"127.0.0.1:{self.found('listening')[0]['port']}"

    def join(self, name, *options):
        if name.startswith("swift"):
            path = self.folder / name / "site.yaml"
            lines = [line for line in path.read_text().splitlines() if not line.startswith(("server:", "threads:"))]
            path.write_text("\n".join([f"server: '{self.address}'", "threads: 1"] + lines) + "\n")
            command = [self.bins / "secagg-client", "run", "--config", path, "--verbose"]
        else:
            command = [sys.executable, HERE / "site.py", "run", "--config", name, "--server", self.address, *options]
        self.clients[name] = self.start(f"{name}.log", *command)

    def events(self):
        path = self.folder / "server/state/events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        out = []
        for line in lines:
            try:
                out.append(json.loads(line))
            except ValueError:  # the last line may be half written
                pass
        return out

    def found(self, event, **fields):
        return [e for e in self.events() if e["event"] == event and all(e.get(k) == v for k, v in fields.items())]

    def wait(self, until, seconds, what):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if until():
                return
            if self.server.poll() not in (None, 0):
                raise Failed(f"the server ended with {self.server.returncode} before: {what}")
            time.sleep(0.1)
        raise Failed(f"not within {seconds} s: {what}")

    def finish(self, seconds=150):
        self.wait(lambda: self.found("job_finished") and self.server.poll() is not None, seconds, "the job ends")
        ended = self.found("job_finished")[0]
        check(ended["outcome"] == "finished" and self.server.returncode == 0, f"the job finished ({ended['round']} rounds)")

    def ends(self, name, code=0, seconds=20):
        self.clients[name].wait(seconds)
        check(self.clients[name].returncode == code, f"{name} ended with {code}")

    def index(self, name):
        return self.names.index(name)

    def weights(self, round_):
        return Weights((self.folder / f"server/state/weights/round-{round_:03}.safetensors").read_bytes())


def images(folder, seed):
    """Four images of 64 by 64 with one rectangle each, with labels and data.yaml."""
    rng = np.random.default_rng(seed)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for i in range(4):
        pixels = rng.integers(0, 80, (64, 64, 3), dtype=np.uint8)
        pixels[16:48, 16:48] = rng.integers(100, 255, 3)
        rows = b"".join(b"\0" + row.tobytes() for row in pixels)
        chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
        (folder / f"images/{i}.png").write_bytes(png + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
        (folder / f"labels/{i}.txt").write_text(f"{i % 3} 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text(f"path: .\ntrain: images\nval: images\nnc: 3\nnames: [{', '.join(CLASSES)}]\n")


def rounds_finished(federation, survivors, rounds):
    """The census and every training round finished at the first attempt, with these survivors in round 1."""
    finished = federation.found("round_finished")
    check([e["round"] for e in finished] == list(range(rounds + 1)), f"census and {rounds} rounds finished")
    check(not federation.found("round_aborted"), "no attempt was aborted")
    first = [e for e in finished if e["round"] == 1][0]
    check(first["survivors"] == survivors, f"survivors of round 1: {first['survivors']}")
    return finished


def python_sites(bins, folder):
    """Five Python sites with different counts and constants: the weighted mean is known."""
    samples, steps, moves = [10, 20, 30, 40, 1000], [0.01, -0.02, 0.005, 0.0, 0.003], [0.1, 0.2, 0.0, 0.05, 0.1]
    with Federation(bins, folder, 0, 5) as f:
        f.prepare(), f.serve()
        for name, count, step, move in zip(f.names, samples, steps, moves):
            f.join(name, "--samples", count, "--step", step, "--statistics-step", move, "--metric", count / 10)
        f.finish()
        for name in f.names:
            f.ends(name)
        finished = rounds_finished(f, list(range(5)), 2)
        check(all(e["samples"] == sum(samples) for e in finished), f"{sum(samples)} samples in every sum")
        reference = -(-4 * sum(samples) // 5)
        w = np.minimum(1, np.array(samples) / reference)
        mean = lambda values: float((w * values).sum() / w.sum())
        check(abs(finished[1]["metrics"]["box_loss"] - mean(np.array(samples) / 10)) < 1e-4, "the weighted mean of a metric")
        before, after = f.weights(0), f.weights(1)
        found = after.flat(False).astype(float) - before.flat(False)
        print(f"      mean step {found.mean():.9f}, expected {mean(steps):.9f}, largest difference {abs(found - mean(steps)).max():.2e}")
        check(abs(found.mean() - mean(steps)) < 1e-7 and abs(found - mean(steps)).max() < 1e-4, "the weighted mean of the weights")
        old, new = before.flat(True).astype(float), after.flat(True).astype(float)
        expected = old.copy()
        position, slots = 0, {}
        for name, entry in before.slots:
            if before.is_statistic(name):
                slots[name] = slice(position, position := position + int(np.prod(entry["shape"])))
        for name, where in slots.items():
            if name.endswith("running_mean"):
                expected[where] += mean(moves)
        for name, where in slots.items():
            if name.endswith("running_var"):
                means = slots[name.removesuffix("running_var") + "running_mean"]
                moment = sum(weight * (old[where] + m + (old[means] + m) ** 2) for weight, m in zip(w, moves)) / w.sum()
                expected[where] = np.maximum(0, moment - expected[means] ** 2)
        check(abs(new - expected).max() < 1e-5, f"the pooled statistics (largest difference {abs(new - expected).max():.2e})")


def with_swift(bins, folder, drop=None, recover=None):
    """Four Swift sites that train and one Python site, whole or vanishing in phase `drop` of round 1."""
    # Round 2 cannot be had without the fifth site: t of four sites, less the colluders, are fewer honest ones than sites insist on.
    rounds = 1 if drop and not recover else 2
    with Federation(bins, folder, 4, 1, rounds) as f:
        f.prepare(), f.serve()
        options = ["--samples", 4, "--step", 0.005]
        options += ["--drop-in", drop] if drop else []
        options += ["--recover", recover] if recover else []
        for name in f.names:
            f.join(name, *options)
        f.finish()
        for name in f.names:
            f.ends(name)
        # Whose input was complete counts, also if it vanishes afterwards; before `accept` a restart has nothing to forget.
        stays = drop is None or drop in ("consistency", "reveal") or recover == "session" or (recover and drop == "plan")
        finished = rounds_finished(f, [0, 1, 2, 3, 4] if stays else [0, 1, 2, 3], rounds)
        check([e["samples"] for e in finished[:2]] == [20, 20 if stays else 16], "the sums of samples")
        moved = float((f.weights(1).flat(False).astype(float) - f.weights(0).flat(False)).mean())
        which = "with" if stays else "without"
        check(abs(moved - (0.001 if stays else 0)) < 0.0002, f"the mean weight moved by {moved:.6f}: {which} the Python site")
        if rounds == 2:
            last = [e for e in finished if e["round"] == 2][0]
            check(last["survivors"] == [0, 1, 2, 3, 4], f"survivors of round 2: {last['survivors']}")
        dropped = [e for e in f.found("site_dropped", site=4, round=1)]
        if drop and not recover:
            check([e["phase"] for e in dropped] == [drop], f"the Python site was dropped in phase {drop}")
        elif not drop:
            check(not f.found("site_dropped"), "no site was dropped")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bins", required=True)
    parser.add_argument("--only", choices=["python", "swift", "drop", "recover"])
    parser.add_argument("--phase", choices=PHASES, help="with --only drop or recover: this phase alone")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    phases = [options.phase] if options.phase else PHASES
    runs = [("python", "five Python sites", python_sites, {}), ("swift", "four Swift sites and one Python site", with_swift, {})]
    runs += [("drop", f"the Python site vanishes in phase {p}", with_swift, {"drop": p}) for p in phases]
    runs += [("recover", f"it vanishes in phase {p} and comes back ({how})", with_swift, {"drop": p, "recover": how})
             for how in ("session", "restart") for p in phases]
    failures = 0
    for kind, title, run, arguments in runs:
        if options.only and kind != options.only:
            continue
        folder, began = tempfile.mkdtemp(prefix="try-site-"), time.monotonic()
        print(f"{title}" + (f" in {folder}" if options.keep else ""), flush=True)
        try:
            run(options.bins, folder, **arguments)
            print(f"  {time.monotonic() - began:.1f} s", flush=True)
        except (Failed, subprocess.TimeoutExpired) as error:
            failures += 1
            print(f"  FAILED: {error}", flush=True)
            for log in [*Path(folder).glob("server.log"), *sorted(Path(folder).glob("python-*.log"))]:
                print(f"  {log.name}: " + log.read_text(errors="replace")[-1000:].replace("\n", "\n    "), flush=True)
        finally:
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)
    print("all checks held" if not failures else f"{failures} runs failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
