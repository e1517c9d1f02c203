"""A run as an RO-Crate: what was used, what was done, what came out, with checksums.

The profiles are Workflow Run RO-Crate, Process Run Crate and Workflow RO-Crate
(https://www.researchobject.org/workflow-run-crate/). The crate is the folder of the run itself: the
metadata file is written into it, and a copy of the workflow.
"""

from __future__ import annotations

import datetime
import json
import mimetypes
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from grubio import __version__
from grubio.config.authors import Author
from grubio.config.sources import LOCK_FILE
from grubio.errors import GrubioError
from grubio.fetching.lock import read_lock
from grubio.files import sha256_of_file, write_text_whole
from grubio.model.bundle import METADATA_FILE, load_metadata
from grubio.runs.files import (
    CLASS_REPORT_DATA_FILE,
    CLASS_REPORT_FILE,
    CRATE_FILE,
    CURVES_FILE,
    METRICS_FILE,
    MODEL_FOLDER,
    REPORT_FILE,
    read_files,
    strange_files,
)
from grubio.runs.folder import Run
from grubio.runs.score_names import SCORES
from grubio.study.folder import workflow_file

STUDY_FILE = "study.yaml"
"""The settings of the run and of what it refers to, as a study of its own."""

_WORKFLOW = "workflow/Snakefile"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
_NO_LICENCE = "No licence was given for this run: ask its authors."
_LIBRARIES = ("torch", "numpy", "pytorch-lightning", "scikit-learn", "snakemake")
_MORE_FILES = (
    CLASS_REPORT_FILE,
    CLASS_REPORT_DATA_FILE,
    CURVES_FILE,
    REPORT_FILE,
    STUDY_FILE,
)


def write_crate(
    run: Run,
    study: Mapping[str, Any] | None = None,
    license_id: str | None = None,
    authors: Sequence[Author] = (),
) -> Path:
    """Write the metadata of a run, and the workflow, into its folder; return the metadata file.

    Parameters
    ----------
    run
        A trained and evaluated run, or a cross-validation.
    study
        Its settings, as a study with this run and what it refers to; kept as ``study.yaml``.
    license_id
        SPDX identifier of the licence of the run's files.
    authors
        Who made the run.

    Raises
    ------
    GrubioError
        If the folder cannot be written.
    """
    folder = run.folder
    if study is not None:
        write_text_whole(folder / STUDY_FILE, yaml.safe_dump(dict(study), sort_keys=False))
    _copy_workflow(folder)
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(_CONTEXT)
    crate.name = f"Run {run.name} of grubio"
    what = "A cross-validation" if run.metrics.folds else "A model trained and evaluated"
    crate.description = f"{what} by grubio {__version__}: {run.score_name}"
    crate.datePublished = datetime.datetime.now(datetime.UTC)
    crate.root_dataset["license"] = _licence(crate, license_id) if license_id else _NO_LICENCE
    crate.root_dataset["conformsTo"] = [
        crate.add(
            ContextEntity(crate, where, {"@type": "CreativeWork", "name": name, "version": version})
        )
        for where, (name, version) in _PROFILES.items()
    ]
    workflow = crate.add_workflow(
        folder / _WORKFLOW, _WORKFLOW, main=True, lang="snakemake", gen_cwl=False
    )
    workflow["name"] = "grubio"
    workflow["license"] = _licence(crate, "MIT")
    workflow["version"] = __version__
    workflow["encodingFormat"] = "text/plain"
    workflow["url"] = "https://pypi.org/project/grubio/"
    workflow["softwareRequirements"] = list(_software(crate, run))
    action = _action(crate, run)
    action["instrument"] = workflow
    action["object"] = [*_inputs(crate, run), *_folds(crate, run), *_settings(crate, run)]
    action["result"] = [*_outputs(crate, run), *_scores(crate, run)]
    if people := [_person(crate, number, one) for number, one in enumerate(authors, 1)]:
        # A single value is no list (RO-Crate 1.1, appendix on JSON-LD).
        action["agent"] = crate.root_dataset["author"] = people if people[1:] else people[0]
    crate.root_dataset["mentions"] = action
    try:
        crate.metadata.write(folder)
    except OSError as error:
        raise GrubioError(f"cannot be written: {error.strerror}", path=folder) from error
    return folder / CRATE_FILE


def _licence(crate: ROCrate, license_id: str) -> ContextEntity:
    content = {"@type": "CreativeWork", "name": license_id}
    where = f"https://spdx.org/licenses/{license_id}"
    return crate.add(ContextEntity(crate, where, content))


def _person(crate: ROCrate, number: int, author: Author) -> ContextEntity:
    where = f"https://orcid.org/{author.orcid}" if author.orcid else f"#author-{number}"
    return crate.add(ContextEntity(crate, where, {"@type": "Person", "name": author.name}))


def _action(crate: ROCrate, run: Run) -> ContextEntity:
    started, ended = _times(run)
    name, description = (
        (
            f"Cross-validation of {run.name}",
            f"{len(run.metrics.folds)} models were trained, each was scored on the fold that it "
            "had not seen, and their test predictions were scored together.",
        )
        if run.metrics.folds
        else (
            f"Training and evaluation of {run.name}",
            "A model was trained, and scored on its test split.",
        )
    )
    content = {
        "@type": "CreateAction",
        "name": name,
        "description": description,
        "startTime": started.isoformat(timespec="seconds"),
        "endTime": ended.isoformat(timespec="seconds"),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    return crate.add(ContextEntity(crate, f"#run-{run.name}", content))


def _copy_workflow(folder: Path) -> None:
    source = workflow_file().parent
    for path in sorted(source.rglob("*")):
        target = folder / "workflow" / path.relative_to(source)
        if path.is_file() and "__pycache__" not in path.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _times(run: Run) -> tuple[datetime.datetime, datetime.datetime]:
    # From the start of the training to the end of the evaluation.
    folders = [run.folder / fold.run for fold in run.metrics.folds] or [run.folder]
    started = min(map(_start_of_training, folders))
    ended = (run.folder / METRICS_FILE).stat().st_mtime
    zone = datetime.UTC
    return (
        datetime.datetime.fromtimestamp(started, zone),
        datetime.datetime.fromtimestamp(max(ended, started), zone),
    )


def _start_of_training(folder: Path) -> float:
    training = load_metadata(folder / MODEL_FOLDER).get("training") or {}
    written = (folder / MODEL_FOLDER / METADATA_FILE).stat().st_mtime
    return written - float(training.get("seconds") or 0)


def _software(crate: ROCrate, run: Run) -> Iterator[ContextEntity]:
    versions = {"grubio": __version__}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    # Those of the training, which may have run elsewhere.
    versions |= {name: str(one) for name, one in (run.training.get("versions") or {}).items()}
    for name, version in versions.items():
        content = {
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": version,
            "url": f"https://pypi.org/project/{name}/"
            if name != "python"
            else "https://python.org",
        }
        yield crate.add(ContextEntity(crate, f"{content['url']}#{version}", content))


def _inputs(crate: ROCrate, run: Run) -> Iterator[ContextEntity]:
    locked = {entry.sha256: where for where, entry in read_lock(Path(LOCK_FILE)).items()}
    sources = dict(run.training.get("dataset_sources") or {})
    for number, (name, digest) in enumerate(sorted(sources.items()), 1):
        content = {"@type": "CreativeWork", "name": name, "sha256": digest}
        if digest in locked:
            content["description"] = f"fetched as {locked[digest]}"
        yield crate.add(ContextEntity(crate, f"#input-{number}", content))
    dataset = run.training.get("dataset_sha256")
    if dataset:
        content = {"@type": "CreativeWork", "name": "the split dataset", "sha256": dataset}
        yield crate.add(ContextEntity(crate, "#dataset", content))


def _folds(crate: ROCrate, run: Run) -> Iterator[ContextEntity]:
    for number, fold in enumerate(run.metrics.provenance.get("folds") or (), 1):
        content = {
            "@type": "CreativeWork",
            "name": f"the model of {fold['run']}",
            "sha256": fold["weights_sha256"],
            "description": f"tested on a dataset with SHA-256 {fold['dataset_sha256']}",
        }
        yield crate.add(ContextEntity(crate, f"#fold-{number}", content))


def _settings(crate: ROCrate, run: Run) -> Iterator[ContextEntity]:
    groups = {
        "model": run.model["network"].get("settings", {}),
        "training": run.training.get("settings", {}),
        "evaluation": run.metrics.provenance.get("settings", {}),
    }
    for group, settings in groups.items():
        for key, value in sorted(settings.items()):
            text = value if isinstance(value, str | int | float) else json.dumps(value)
            content = {"@type": "PropertyValue", "name": f"{group}.{key}", "value": text}
            yield crate.add(ContextEntity(crate, f"#setting-{group}.{key}", content))


def _scores(crate: ROCrate, run: Run) -> Iterator[ContextEntity]:
    for key, score in run.metrics.scores.items():
        if score.value is None:
            continue
        content: dict[str, Any] = {"@type": "PropertyValue", "name": key, "value": score.value}
        if key in SCORES:
            content["description"] = f"{SCORES[key].title}: {SCORES[key].meaning}"
        if score.low is not None and score.high is not None:
            content |= {"minValue": score.low, "maxValue": score.high}
        yield crate.add(ContextEntity(crate, f"#score-{key}", content))


def _outputs(crate: ROCrate, run: Run) -> Iterator[Any]:
    # What train, evaluate and report wrote; other steps may be at work in the same folder.
    for path in sorted(_finished_files(run)):
        inside = path.relative_to(run.folder)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        yield crate.add_file(
            path,
            inside.as_posix(),
            properties={
                "name": inside.as_posix(),
                "encodingFormat": kind,
                "contentSize": str(path.stat().st_size),
                "sha256": sha256_of_file(path),
            },
        )


def _finished_files(run: Run) -> Iterator[Path]:
    strange = strange_files(folds=bool(run.metrics.folds))
    for path in (*read_files(run.folder), *(run.folder / name for name in _MORE_FILES)):
        if path.name in strange:
            continue
        if path.is_dir():
            yield from (inside for inside in path.rglob("*") if inside.is_file())
        elif path.is_file():
            yield path
