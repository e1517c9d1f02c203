"""Speed of the pages of models in Chromium and Firefox, and how their labels compare with Python's.

Each page gets its input as a person would paste it, and labels in its one worker. Seconds are those
from the start of labelling to the last label, CPU seconds those of all processes of the browser in
that time, which other load of the machine disturbs less. Prints Markdown tables and writes
benchmarks/page.json.

    python benchmarks/page.py [--models protein-ss-fast ...]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import lzma
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from grubio.inference.predictor import Predictor
from grubio.model.bundle import Bundle, load_bundle
from grubio.model.zoo import find_model
from grubio.page.predictor import write_page
from grubio.readers.fasta import read_fasta
from grubio.sequences.record import Record

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_suffix(".json")
DATA = ROOT / "grubio" / "data"
COMPARED, SPEED = 500, 1000
ONE_PROTEIN = 300
CONTIG = 1_000_000
COMPARED_BASES = 100_000
MODELS = ("protein-ss-fast", "protein-ss", "ecoli-promoters", "ecoli-genes")
LABEL = """
    element("text").value = given;
    await run();
    while (page.running) await new Promise((done) => setTimeout(done, 20));
    if (!element("problem").hidden) throw element("problem").innerText;
    const seconds = Number(element("results").dataset.seconds);
"""
# Numbers of one result after another, in base64: of a sequence its probabilities, of a contig those
# of both strands.
ANSWERS = """
    const packed = (array) => {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      let text = "";
      for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at]);
      return btoa(text);
    };
    const [main] = model.targets;
    return page.results.flatMap((one) => genome
      ? ["+", "-"].map((strand) => [packed(one.probabilities[strand]),
          lettersOf(one.classes[strand], model.schemes[0].letters)])
      : [[packed(one.answer[main.name]), one.labels]]);
"""
Run = Callable[..., Any]
Answers = list[tuple[npt.NDArray[np.float32], str]]


@contextlib.contextmanager
def chromium() -> Iterator[tuple[str, Callable[[Path], Run]]]:
    """Give the version of Chromium, and a function that opens a page and gives its scripts."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_context(offline=True).new_page()
        page.set_default_timeout(0)

        def opened(path: Path) -> Run:
            page.goto(path.as_uri())
            return lambda body, given=None: page.evaluate(f"async (given) => {{{body}}}", given)

        yield f"Chromium {browser.version}", opened
        browser.close()


@contextlib.contextmanager
def firefox() -> Iterator[tuple[str, Callable[[Path], Run]]]:
    """Give the same of Firefox."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser.firefox import started

    program = shutil.which("firefox-esr") or shutil.which("firefox") or "firefox"
    with tempfile.TemporaryDirectory() as folder, started(program, Path(folder)) as running:

        def opened(path: Path) -> Run:
            running.open(path.as_uri())
            return lambda body, given=None: running.run(
                f"const [only] = given; given = only;{body}", given
            )

        yield f"Firefox {running.version}", opened


def cpu_seconds() -> float:
    """Return the CPU seconds of all processes that this one started."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            used = process.cpu_times()
            total += used.user + used.system
    return total


def timed(run: Run, text: str) -> dict[str, float]:
    """Return the seconds and CPU seconds of labelling a text."""
    before = cpu_seconds()
    seconds = run(LABEL + "return seconds;", text)
    return {"seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds() - before, 2)}


def chains(number: int) -> list[Record]:
    """Return the first chains of the demonstration data."""
    with lzma.open(DATA / "pdb_demo.tsv.xz", "rt") as lines:
        next(lines)
        rows = [line.split("\t") for line in itertools.islice(lines, number)]
    return [Record(name, "", sequence) for name, sequence, *_ in rows]


def contig(length: int) -> Record:
    """Return the contigs of the synthetic genome, repeated, as one."""
    text = "".join(record.sequence for record in read_fasta(DATA / "synthetic_genome.fasta.xz"))
    return Record("contig", "", (text * -(-length // len(text)))[:length])


def fasta(records: list[Record]) -> str:
    """Return records as FASTA."""
    return "".join(f">{record.id}\n{record.sequence}\n" for record in records)


def of_python(bundle: Bundle, records: list[Record]) -> Answers:
    """Return what Python says: probabilities ``(residue, class)`` and labels."""
    predictor, scheme = Predictor(bundle, "cpu", 1), bundle.scheme.headline
    if bundle.kind == "sequences":
        return [(found.probabilities, found.labels(scheme)) for found in predictor.predict(records)]
    (record,) = records
    regions = list(predictor.regions([record]))
    whole = [np.concatenate([region.probabilities[s] for region in regions]) for s in ("+", "-")]
    return [(one, scheme.decode(one.argmax(axis=1))) for one in whole]


def agreement(found: list[list[str]], expected: Answers) -> dict[str, float]:
    """Return the residues, the share with the same label, and the differences of probabilities."""
    same, largest, total, residues, numbers = 0, 0.0, 0.0, 0, 0
    for (packed, labels), (probabilities, wanted) in zip(found, expected, strict=True):
        own = np.frombuffer(base64.b64decode(packed), dtype=np.float32)
        apart = np.abs(own - probabilities.ravel())
        same += sum(a == b for a, b in zip(labels, wanted, strict=True))
        residues += len(wanted)
        largest = max(largest, float(apart.max()))
        total += float(apart.sum())
        numbers += apart.size
    return {
        "residues": residues,
        "same": round(same / residues, 6),
        "largest": round(largest, 6),
        "mean": round(total / numbers, 8),
    }


def measured(opened: Callable[[Path], Run], path: Path, bundle: Bundle) -> dict[str, Any]:
    """Return the speed of a page, and its agreement with Python."""
    run = opened(path)
    found: dict[str, Any] = {}
    if bundle.kind == "genome":
        found["contig"] = timed(run, fasta([contig(CONTIG)]))
        compared = [contig(COMPARED_BASES)]
    else:
        whole = "".join(record.sequence for record in chains(5))[:ONE_PROTEIN]
        one = fasta([Record("one", "", whole)])
        found["one_first"], found["one"] = timed(run, one), timed(run, one)
        found["many"] = timed(run, fasta(chains(SPEED)))
        compared = chains(COMPARED)
    answers = run(LABEL + ANSWERS, fasta(compared))
    return found | {"agreement": agreement(answers, of_python(bundle, compared))}


def tables(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    sequences = ["| model | browser | one protein, s | CPU s | 1,000 proteins, s | CPU s |"]
    contigs = ["| model | browser | contig, s | CPU s |"]
    same = ["| model | browser | residues | same label, % | largest difference | mean |"]
    sequences.append("| --- | --- | ---: | ---: | ---: | ---: |")
    contigs.append("| --- | --- | ---: | ---: |")
    same.append("| --- | --- | ---: | ---: | ---: | ---: |")
    for model, by_browser in results["models"].items():
        for browser, found in by_browser.items():
            if browser == "megabytes":
                continue
            start, near = f"| {model} | {browser} |", found["agreement"]
            if "many" in found:
                one, many = found["one_first"], found["many"]
                cells = [f"{one['seconds']:.2f}", f"{one['cpu_seconds']:.2f}"]
                cells += [f"{many['seconds']:.1f}", f"{many['cpu_seconds']:.1f}"]
                sequences.append(f"{start} {' | '.join(cells)} |")
            else:
                long = found["contig"]
                contigs.append(f"{start} {long['seconds']:.1f} | {long['cpu_seconds']:.1f} |")
            numbers = f"{near['residues']:,} | {100 * near['same']:.3f} | {near['largest']:.5f}"
            same.append(f"{start} {numbers} | {near['mean']:.6f} |")
    return "\n\n".join("\n".join(part) for part in (sequences, contigs, same))


def main() -> None:
    """Measure the pages of all models in both browsers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS)
    given = parser.parse_args()
    results: dict[str, Any] = {"models": {}, "contig": CONTIG, "proteins": SPEED}
    with contextlib.suppress(FileNotFoundError):
        # Those of other models stay.
        results["models"] = json.loads(RESULTS.read_text(encoding="utf-8"))["models"]
    results["residues"] = sum(len(record.sequence) for record in chains(SPEED))
    with tempfile.TemporaryDirectory() as folder:
        for start in (chromium, firefox):
            with start() as (version, opened):
                for model in given.models:
                    path, bundle = Path(folder) / f"{model}.html", load_bundle(find_model(model))
                    write_page(find_model(model), path)
                    began = time.perf_counter()
                    own = results["models"].setdefault(model, {})
                    own["megabytes"] = round(path.stat().st_size / 1e6, 2)
                    own[version] = measured(opened, path, bundle)
                    taken = time.perf_counter() - began
                    print(f"{model}, {version}: {taken:.0f} s", file=sys.stderr)
                    text = json.dumps(results, indent=1)
                    RESULTS.write_text(f"{text}\n", encoding="utf-8")
    print(tables(results))


if __name__ == "__main__":
    main()
