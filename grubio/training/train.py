"""Training: a dataset in, a model bundle out; goes on where an interrupted run stopped.

The loop, checkpoints, clipping and mixed precision are PyTorch Lightning's. Exact resume rests
on one rule: the batches of an epoch follow from the seed and the number of the epoch, and dropout
from the seed and the number of the step.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import platform
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from grubio import __version__
from grubio.config import Device, ModelSettings, TrainingSettings
from grubio.datasets.parquet import read_records
from grubio.errors import GrubioError, Interrupted
from grubio.files import new_folder_for, sha256_of_file, write_text_whole
from grubio.inference.predictor import Predictor
from grubio.model.bundle import METADATA_FILE, Bundle, save_bundle
from grubio.model.devices import available_threads, choose_device, use_threads
from grubio.model.training_input import training_input
from grubio.overwriting import keeps_inputs, refuse_input
from grubio.runs.files import CHECKPOINT_FOLDER, HISTORY_FILE, MODEL_FOLDER
from grubio.training.distributed import (
    READY,
    OneMachine,
    free_port,
    leave,
    other_processes,
    require_devices,
)
from grubio.training.epoch_plan import new_fitting
from grubio.training.examples import TrainingData, load_training_data, with_teacher
from grubio.training.lightning_module import Fitting, history_as_csv
from grubio.training.process_rank import Membership, membership, threads_each
from grubio.training.readiness import shortcomings
from grubio.training.site_thresholds import chosen_sites
from grubio.training.trainer import new_trainer
from grubio.training.validation_answers import calibrated, validation_answers

logger = logging.getLogger(__name__)


@keeps_inputs("dataset", "teacher")
def train_model(
    dataset: Path,
    output: Path,
    model_settings: ModelSettings,
    training_settings: TrainingSettings,
    *,
    teacher: Path | None = None,
    device: Device = "auto",
    threads: int | None = None,
) -> Path:
    """Fit a labeller to a dataset and write its bundle; return the bundle's folder.

    Writes ``model/``, ``history.csv`` and ``tensorboard/`` into ``output``. While it runs,
    ``checkpoints/`` holds the state after each validation; a second call with the same dataset
    and settings goes on from there and ends with the same weights as an uninterrupted run.

    A ``teacher`` is the folder of a model of the same classes; its probabilities for the training
    chains are learned besides their labels (Hinton et al., arXiv:1503.02531, 2015).

    Where the settings say that several processes train together, they share ``threads``, and the
    one that writes is the first. ``torchrun`` and ``srun`` start all of them with the same call,
    which returns in the others when there is nothing more for them to do; otherwise this call
    starts the others of its machine.

    Raises
    ------
    GrubioError
        If the dataset has nothing to learn or to score
        (:func:`grubio.training.readiness.shortcomings`), the teacher has other classes, the device
        is not there, the processes are more than there are batches to share, or a loss is not
        finite.
    """
    started = time.monotonic()
    member = membership(training_settings)
    count = use_threads(threads_each(threads, available_threads(), training_settings))
    place = choose_device(device)
    require_devices(place, training_settings)
    data = load_training_data(dataset, model_settings, training_settings)
    lacking = shortcomings(dataset, data, model_settings, training_settings)
    digest = sha256_of_file(dataset)
    teacher_sha256 = None
    if teacher is not None:
        data, teacher_sha256 = with_teacher(data, teacher, device, count)
    refuse_input(output / MODEL_FOLDER / METADATA_FILE)
    fitting = new_fitting(data, model_settings, training_settings)
    fitting.started = started
    new_folder_for(output / HISTORY_FILE)
    checkpoints = output / CHECKPOINT_FOLDER
    resumed = _checkpoint_to_resume(
        checkpoints, _fingerprint(digest, model_settings, training_settings, teacher_sha256), member
    )
    if member.number == 0:
        for what in lacking:
            logger.warning("warning: %s", what)
        _announce(data, fitting, training_settings, count, place)
    try:
        with ExitStack() as stack:
            # After the others have ended: an error here is not to end them first.
            stack.callback(leave)
            machine = None
            if training_settings.processes > 1 and not member.started_elsewhere:
                port = free_port()
                machine = OneMachine(0, port)
                order = {
                    "port": port,
                    "dataset": str(dataset),
                    "output": str(output),
                    "model_settings": model_settings.model_dump(),
                    "training_settings": training_settings.model_dump(),
                    "teacher": teacher and str(teacher),
                    "device": str(place),
                    "threads": count,
                    "resumed": resumed and str(resumed),
                }
                stack.enter_context(other_processes(member.processes, _TAKING_PART, order))
            trainer = new_trainer(output, training_settings, place, fitting, machine)
            trainer.fit(fitting, ckpt_path=resumed, weights_only=True)
    except SystemExit as stop:
        # Lightning ends the process with code 0 or 1 when a signal comes.
        raise KeyboardInterrupt from stop
    except BaseException as error:
        # What was being written when a signal came may raise as well.
        signalled = _stop_behind(error)
        if signalled is None:
            raise
        logger.info("the same command goes on from the checkpoint in %s", checkpoints)
        raise signalled from None
    if member.number > 0:
        return output / MODEL_FOLDER
    best = torch.load(checkpoints / "best.ckpt", map_location="cpu", weights_only=True)
    fitting.load_state_dict(best["state_dict"])
    model = fitting.fitted.cpu().eval()
    logits, observed = validation_answers(
        Bundle(model, data.header.alphabet), read_records(dataset, "valid"), count
    )
    rebalanced = bool(training_settings.background_ratio or training_settings.focal_gamma)
    of_labels, remaining = calibrated(logits, observed, offsets=rebalanced)
    calibrations = {model.targets[0].name: of_labels}
    sites = None
    if data.header.kind == "genome":
        raw = Bundle(model, data.header.alphabet, calibrations, {})
        sites = chosen_sites(
            Predictor(raw, "cpu", count),
            read_records(dataset, "valid"),
            data.header.sites or {},
            training_settings.false_positives_per_kb,
        )
    best_row = max(fitting.history, key=lambda row: row["valid_score"])
    write_text_whole(output / HISTORY_FILE, history_as_csv(fitting.history))
    save_bundle(
        output / MODEL_FOLDER,
        Bundle(model, data.header.alphabet, calibrations, sites),
        {
            "settings": training_settings.model_dump(),
            "dataset_sha256": digest,
            "teacher_sha256": teacher_sha256,
            "dataset_sources": dict(data.header.sources),
            "input": training_input(
                (example.codes for example in data.train),
                data.header.alphabet,
                training_settings.max_length,
            ),
            "chains": data.train_chains,
            "residues": sum(len(example) for example in data.train),
            "valid_chains": data.valid_chains,
            "valid_score": best_row["valid_score"],
            "valid_ece": remaining,
            "score": fitting.score,
            "score_scheme": data.header.scheme.headline.name,
            "best_epoch": best_row["epoch"],
            "epochs_run": fitting.history[-1]["epoch"],
            "padding_waste": fitting.padding_waste,
            "seconds": round(fitting.seconds, 1),
            "device": str(place),
            "threads": count,
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "torch": torch.__version__,
                "pytorch-lightning": importlib.metadata.version("pytorch-lightning"),
            },
        },
    )
    shutil.rmtree(checkpoints)
    return output / MODEL_FOLDER


_TAKING_PART = "from grubio.training.train import take_part; take_part()"


def take_part() -> None:
    """Be a further process of a training, as the first one orders on standard input.

    Called by a process that :func:`train_model` starts; it writes nothing.
    """
    # Ctrl-C reaches all processes of a terminal; the first one ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = json.load(sys.stdin)
    try:
        use_threads(order["threads"])
        place = torch.device(order["device"])
        model_settings = ModelSettings(**order["model_settings"])
        settings = TrainingSettings(**order["training_settings"])
        data = load_training_data(Path(order["dataset"]), model_settings, settings)
        if order["teacher"]:
            data, _ = with_teacher(data, Path(order["teacher"]), order["device"], order["threads"])
        fitting = new_fitting(data, model_settings, settings)
        machine = OneMachine(order["number"], order["port"])
        trainer = new_trainer(Path(order["output"]), settings, place, fitting, machine)
        sys.stdout.write(READY)
        sys.stdout.flush()
        trainer.fit(fitting, ckpt_path=order["resumed"], weights_only=True)
    except (GrubioError, RuntimeError, OSError) as error:
        sys.exit(f"process {order['number']} of the training: {error}")
    leave()


def _fingerprint(
    digest: str, model: ModelSettings, training: TrainingSettings, teacher_sha256: str | None
) -> str:
    content = [__version__, digest, model.model_dump(), training.model_dump(), teacher_sha256]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _checkpoint_to_resume(folder: Path, fingerprint: str, member: Membership) -> Path | None:
    mark, last = folder / "fingerprint", folder / "last.ckpt"
    if mark.is_file() and mark.read_text(encoding="utf-8") == fingerprint and last.is_file():
        logger.info("going on from the checkpoint in %s", folder)
        return last
    if member.number > 0:
        # The first process takes away what does not fit.
        return None
    if folder.exists():
        shutil.rmtree(folder)
    write_text_whole(mark, fingerprint)
    return None


def _announce(
    data: TrainingData,
    fitting: Fitting,
    settings: TrainingSettings,
    threads: int,
    device: torch.device,
) -> None:
    logger.info(
        "%d training chains (%d residues), %d validation chains; %d parameters; "
        "%d steps of up to %d residues, %.1f %% padding; %s, %s%d threads",
        data.train_chains,
        sum(len(example) for example in data.train),
        data.valid_chains,
        sum(parameter.numel() for parameter in fitting.model.parameters()),
        fitting.total_steps,
        settings.batch_residues * settings.all_processes,
        100 * fitting.padding_waste,
        device,
        f"{settings.all_processes} processes of " if settings.all_processes > 1 else "",
        threads,
    )


def _stop_behind(error: BaseException | None) -> Interrupted | None:
    while error is not None and not isinstance(error, Interrupted):
        error = error.__context__
    return error
