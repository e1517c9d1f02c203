"""Training: a dataset in, a model bundle out; an interrupted run is resumed.

The loop, checkpoints, clipping and mixed precision are PyTorch Lightning's. A run can be resumed
exactly because the batches of an epoch follow from the seed and the number of the epoch, and
dropout from the seed and the number of the step.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import platform
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from grubio.extras import needs

with needs("train", "training"):
    import torch

from grubio import __version__
from grubio.config import Device, ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_header, read_records
from grubio.errors import GrubioError, Interrupted
from grubio.files import sha256_of_file, write_text_whole
from grubio.model.bundle import METADATA_FILE, save_bundle
from grubio.model.devices import available_threads, choose_device, use_threads
from grubio.model.labeller import bundle_of
from grubio.model.training_input import training_input
from grubio.model.training_sketch import Sketch, sketch_of
from grubio.overwriting import keeps_inputs, refuse_input
from grubio.runs.files import CHECKPOINT_FOLDER, HISTORY_FILE, MODEL_FOLDER, REACH_FILE
from grubio.training.checkpoints import (
    best_weights,
    checkpoint_to_resume,
    discard_checkpoints,
)
from grubio.training.distributed import (
    READY,
    OneMachine,
    free_port,
    leave,
    other_processes,
    require_devices,
)
from grubio.training.examples import TrainingData, load_training_data, with_teacher
from grubio.training.fitting import new_fitting, targets_of
from grubio.training.gradient_reach import gradient_reach
from grubio.training.lightning_module import Fitting, history_as_csv
from grubio.training.motif_share import choose_shares
from grubio.training.only_training import only_training_in
from grubio.training.parent import Parent, load_parent
from grubio.training.precision import Precision, precision_for
from grubio.training.process_rank import ProcessRank, process_rank, threads_each
from grubio.training.readiness import shortcomings
from grubio.training.site_thresholds import genome_sites
from grubio.training.stem_motifs import NONE as NO_MOTIFS
from grubio.training.stem_motifs import motifs_sha256
from grubio.training.trainer import new_trainer
from grubio.training.transitions import counted_transitions, label_answers, with_transitions
from grubio.training.validation_answers import (
    calibrated_targets,
    changes_frequencies,
    validation_answers,
    validation_predictions,
)

logger = logging.getLogger(__name__)

_TAKING_PART = "from grubio.training.train import take_part; take_part()"


class _Job(BaseModel):
    # All that the processes of a training have in common.
    dataset: Path
    output: Path
    model_settings: ModelSettings
    training_settings: TrainingSettings
    teacher: Path | None
    parent: Path | None
    device: str
    threads: int
    precision: Precision
    resumed: Path | None = None

    @property
    def checkpoints(self) -> Path:
        return self.output / CHECKPOINT_FOLDER


@keeps_inputs("dataset", "teacher", "parent")
def train_model(
    dataset: Path,
    output: Path,
    model_settings: ModelSettings,
    training_settings: TrainingSettings,
    *,
    teacher: Path | None = None,
    parent: Path | None = None,
    device: Device = "auto",
    threads: int | None = None,
) -> Path:
    """Fit a labeller to a dataset and write its bundle; return the bundle's folder.

    Writes ``model/``, ``history.csv``, ``gradient_reach.tsv`` and ``tensorboard/`` into ``output``.
    While it runs, ``checkpoints/`` holds the state after each validation; a second call with the
    same dataset and settings resumes from there and ends with the same weights as an uninterrupted
    run.

    A ``teacher`` is the folder of a model of the same classes; its probabilities for the training
    chains are learned in addition to their labels (Hinton et al., arXiv:1503.02531, 2015).

    A ``parent`` is the folder of a model to start from: its network with its weights, and those of
    its heads whose targets are among the ones to learn (:mod:`grubio.training.parent`). Of an
    ensemble, one member is taken, by the seed.

    If the settings ask for several processes, those of a machine share the ``threads``, and the
    process of rank 0 writes. ``torchrun`` and ``srun`` start all of them with the same call, which
    returns in the others when they are no longer needed; otherwise this call starts the others of
    its machine.

    Raises
    ------
    GrubioError
        If the dataset has nothing to learn or to score
        (:func:`grubio.training.readiness.shortcomings`), the teacher has other classes or the loss
        is ``crf``, which takes neither a teacher nor soft labels, the parent has another alphabet
        or another network than was asked for, motifs to begin with were asked for besides it, the
        device or its precision is not available, another training is at work in ``output`` or its
        checkpoints are of another program, there are fewer batches than processes to share
        them, or a loss is not finite.
    """
    started = time.monotonic()
    this = process_rank(training_settings)
    place = choose_device(device)
    require_devices(torch.device(place), training_settings)
    refuse_input(output / MODEL_FOLDER / METADATA_FILE)
    start = load_parent(parent, training_settings.seed)
    model_settings = _settings_from(start, dataset, model_settings, training_settings)
    job = _Job(
        dataset=dataset,
        output=output,
        model_settings=model_settings,
        training_settings=training_settings,
        teacher=teacher,
        parent=parent,
        device=place,
        threads=use_threads(threads_each(threads, available_threads(), training_settings)),
        precision=precision_for(training_settings.precision, place),
    )
    data = load_training_data(dataset, model_settings, training_settings, teacher)
    lacking = shortcomings(dataset, data, model_settings, training_settings)
    _require_fit_of_loss(job, data)
    data = with_teacher(data, teacher, job.device, job.threads)
    fitting = new_fitting(data, model_settings, training_settings, parent=start)
    fitting.started = started
    digest = sha256_of_file(dataset)
    described = start and start.described(targets_of(data))
    inputs = [digest, data.teacher_sha256, described, motifs_sha256(training_settings.motifs)]
    with only_training_in(output) if this.rank == 0 else nullcontext():
        job.resumed = checkpoint_to_resume(
            job.checkpoints, _fingerprint(job, inputs), writes=this.rank == 0
        )
        if this.rank == 0:
            for what in lacking:
                logger.warning("warning: %s", what)
            _announce(job, data, fitting)
            if start is not None:
                _announce_parent(start, fitting)
                described = {**(described or {}), "held_out": _overlaps(start, dataset)}
        _fit(job, fitting, this)
        if this.rank == 0:
            origin = {"dataset_sha256": digest, "from": described}
            _save_best(job, data, fitting, origin, start.sketches if start else [])
    return output / MODEL_FOLDER


def _settings_from(
    start: Parent | None,
    dataset: Path,
    model_settings: ModelSettings,
    training_settings: TrainingSettings,
) -> ModelSettings:
    """Return the settings of the network: those of the model to start from, if there is one."""
    freeze, motifs = training_settings.freeze, training_settings.motifs
    if start is None:
        if freeze != "none":
            raise GrubioError(
                f"freeze: {freeze}: fresh weights would stay as they were drawn",
                hint="freeze weights of a model to start from: --from MODEL",
            )
        return model_settings
    start.require_alphabet(read_header(dataset).alphabet, dataset)
    if motifs != NO_MOTIFS:
        raise GrubioError(
            f"motifs: {motifs}: the stem is that of the model to start from",
            hint="leave out one of motifs and from; a model that began with motifs keeps them",
        )
    settings = start.model_settings(model_settings)
    added = {*settings.inputs} - {*start.labeller.architecture.inputs}
    if added and freeze not in ("none", "stem"):
        raise GrubioError(
            f"freeze: {freeze}: the weights of {min(added)}, which the parent does not read, "
            "would stay zeros",
            hint="freeze nothing, or the stem",
        )
    return settings


def _require_fit_of_loss(job: _Job, data: TrainingData) -> None:
    if job.training_settings.loss != "crf":
        return
    if job.teacher is not None:
        raise GrubioError("loss 'crf' takes no teacher", hint="leave out one of them")
    if data.header.soft_labels:
        raise GrubioError("loss 'crf' takes no soft labels", path=job.dataset)


def take_part() -> None:
    """Be a further process of a training, as ordered on standard input by the one of rank 0.

    Called in a process that :func:`train_model` starts; it writes nothing.
    """
    # Ctrl-C reaches all processes of a terminal; the one of rank 0 ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = json.load(sys.stdin)
    job = _Job(**order["job"])
    try:
        use_threads(job.threads)
        data = load_training_data(
            job.dataset, job.model_settings, job.training_settings, job.teacher
        )
        data = with_teacher(data, job.teacher, job.device, job.threads)
        start = load_parent(job.parent, job.training_settings.seed)
        fitting = new_fitting(data, job.model_settings, job.training_settings, parent=start)
        _run(job, fitting, OneMachine(order["rank"], order["port"]))
    except (GrubioError, RuntimeError, OSError) as error:
        sys.exit(f"process {order['rank']} of the training: {error}")
    leave()


def _fit(job: _Job, fitting: Fitting, this: ProcessRank) -> None:
    try:
        with ExitStack() as stack:
            # Called last, when the others have ended: an error of it must not end them early.
            stack.callback(leave)
            machine = None
            processes = job.training_settings.processes
            if processes > 1 and not this.launched:
                machine = OneMachine(0, free_port())
                order = {"port": machine.main_port, "job": job.model_dump(mode="json")}
                stack.enter_context(other_processes(processes, _TAKING_PART, order))
            _run(job, fitting, machine)
    except SystemExit as stop:
        # Lightning ends the process with code 0 or 1 when a signal comes.
        raise KeyboardInterrupt from stop
    except BaseException as error:
        # What was being written when a signal came may raise as well.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, Interrupted):
            cause = cause.__context__
        if cause is None:
            raise
        logger.info(
            "run the same command again to resume from the checkpoint in %s", job.checkpoints
        )
        raise cause from None


def _run(job: _Job, fitting: Fitting, machine: OneMachine | None) -> None:
    device = torch.device(job.device)
    fitting.precision = job.precision
    trainer = new_trainer(job.output, job.training_settings, device, fitting, machine)
    if machine is not None and machine.local_rank() > 0:
        sys.stdout.write(READY)
        sys.stdout.flush()
    trainer.fit(fitting, ckpt_path=job.resumed, weights_only=True)


def _fingerprint(job: _Job, inputs: Sequence[object]) -> str:
    settings = [job.model_settings.model_dump(), job.training_settings.model_dump()]
    content = json.dumps([__version__, *inputs, *settings], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _announce(job: _Job, data: TrainingData, fitting: Fitting) -> None:
    processes = job.training_settings.all_processes
    parameters = sum(parameter.numel() for parameter in fitting.model.parameters())
    logger.info(
        f"{data.train_chains} training chains ({data.residues} residues), {data.valid_chains} "
        f"validation chains; {parameters} parameters; {fitting.total_steps} steps of up to "
        f"{job.training_settings.batch_residues * processes} residues, "
        f"{100 * fitting.padding_waste:.1f} % padding; {job.device}, precision {job.precision}, "
        f"{f'{processes} processes of ' if processes > 1 else ''}{job.threads} threads"
    )


def _announce_parent(parent: Parent, fitting: Fitting) -> None:
    targets, taken = fitting.model.targets, parent.heads_for(fitting.model.targets)
    fresh = [target.name for target in targets if target.name not in taken]
    learning = sum(p.numel() for p in fitting.model.parameters() if p.requires_grad)
    logger.info(
        f"starting from {parent.name}; fresh heads: {', '.join(fresh) or 'none'}; "
        f"{learning} parameters learn"
    )


def _overlaps(parent: Parent, dataset: Path) -> list[dict[str, Any]]:
    found = parent.overlaps(r for r in read_records(dataset) if r.split in ("valid", "test"))
    for overlap in found:
        if warning := overlap.warning("valid and test records"):
            logger.warning("warning: %s", warning)
    return [overlap.as_dict() for overlap in found]


def _save_best(
    job: _Job,
    data: TrainingData,
    fitting: Fitting,
    origin: Mapping[str, Any],
    inherited: Sequence[Sketch],
) -> None:
    fitting.load_state_dict(best_weights(job.checkpoints, fitting.history))
    shares = _shares(job, data, fitting)
    bundle = bundle_of(fitting.fitted, data.header.alphabet)
    bundle = bundle.stored_in(job.training_settings.weight_precision)
    records = read_records(job.dataset, "valid", targets=True, profiles=bundle.reads_profiles)
    predictions = validation_predictions(bundle, records, job.threads)
    answers = validation_answers(bundle, predictions)
    settings = job.training_settings
    rebalanced = changes_frequencies(settings.model_dump())
    calibrations, remaining = calibrated_targets(bundle, answers, offsets=rebalanced)
    if bundle.scheme.graph is not None:
        counted = counted_transitions(data.train, bundle.scheme)
        transitions = fitting.crf.transitions() if fitting.crf else counted
        name = bundle.targets[0].name
        calibrations[name], remaining["valid_ece"] = with_transitions(
            calibrations[name], label_answers(predictions), bundle.scheme, transitions
        )
    bundle = replace(bundle, calibrations=calibrations)
    rate = settings.false_positives_per_kb
    bundle = replace(
        bundle, sites=genome_sites(bundle, job.dataset, data.header, rate, job.threads)
    )
    write_text_whole(job.output / HISTORY_FILE, history_as_csv(fitting.history))
    write_text_whole(job.output / REACH_FILE, gradient_reach(bundle, data.valid))
    save_bundle(
        job.output / MODEL_FOLDER,
        bundle,
        {
            **_provenance(job, data, fitting),
            **origin,
            **remaining,
            **({"motif_shares": shares} if shares else {}),
            "seconds": round(fitting.seconds, 1),
        },
        [
            sketch_of(
                job.output.name,
                (record.sequence for record in read_records(job.dataset, "train")),
                data.header.alphabet,
            ),
            *inherited,
        ],
    )
    discard_checkpoints(job.checkpoints)


def _shares(job: _Job, data: TrainingData, fitting: Fitting) -> dict[str, dict[str, object]]:
    if fitting.held is None or fitting.held.head is None:
        return {}
    records = list(read_records(job.dataset, "valid"))
    found = choose_shares(fitting.fitted, fitting.held.head, data.motifs, records, job.threads)
    return {name: share.as_dict() for name, share in found.items()}


def _provenance(job: _Job, data: TrainingData, fitting: Fitting) -> dict[str, Any]:
    best = max(fitting.history, key=lambda row: row["valid_score"])
    answered = data.header.target_of_profiles
    profiles = data.header.profiles or (answered and {"target": answered.name})
    return {
        "settings": job.training_settings.model_dump(),
        "teacher_sha256": data.teacher_sha256,
        "dataset_sources": dict(data.header.sources),
        **({"profiles": profiles} if "profile" in job.model_settings.inputs else {}),
        "input": training_input(
            (example.codes for example in data.train),
            data.header.alphabet,
            job.training_settings.max_length,
        ),
        "chains": data.train_chains,
        "residues": data.residues,
        "valid_chains": data.valid_chains,
        "valid_score": best["valid_score"],
        "score": fitting.score,
        "score_scheme": data.header.scheme.headline.name,
        "score_target": data.main.name,
        "best_epoch": best["epoch"],
        "epochs_run": fitting.history[-1]["epoch"],
        "padding_waste": fitting.padding_waste,
        "device": job.device,
        "precision": job.precision,
        "threads": job.threads,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
            "pytorch-lightning": importlib.metadata.version("pytorch-lightning"),
        },
    }
