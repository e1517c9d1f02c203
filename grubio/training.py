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
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from scipy.special import softmax

from grubio import __version__
from grubio.bundle import Bundle, save_bundle
from grubio.calibration import calibration, calibration_error, fit_offsets
from grubio.config import Device, ModelSettings, TrainingSettings
from grubio.dataset import read_records
from grubio.devices import choose_device, use_threads
from grubio.errors import Interrupted
from grubio.files import new_folder_for, sha256_of_file, write_text_whole
from grubio.fitting import Fitting, history_as_csv
from grubio.fitting_plan import new_fitting
from grubio.inference import Predictor
from grubio.thresholds import chosen_sites
from grubio.training_data import TrainingData, load_training_data, taught
from grubio.training_progress import TrainingProgress

MODEL_FOLDER = "model"
HISTORY_FILE = "history.csv"
TENSORBOARD_FOLDER = "tensorboard"
CHECKPOINT_FOLDER = "checkpoints"

logger = logging.getLogger(__name__)


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

    A ``teacher`` is the folder of a model of the same classes; what it says about the training
    chains is learned besides their labels (Hinton et al., arXiv:1503.02531, 2015).

    Raises
    ------
    GrubioError
        If the dataset has no train or no valid records, the teacher has other classes, or the
        device is not there.
    """
    started = time.monotonic()
    count = use_threads(threads)
    place = choose_device(device)
    data = load_training_data(dataset, model_settings, training_settings)
    digest = sha256_of_file(dataset)
    lesson = None
    if teacher is not None:
        data, lesson = taught(data, teacher, device, threads)
    fitting = new_fitting(data, model_settings, training_settings)
    new_folder_for(output / HISTORY_FILE)
    checkpoints = output / CHECKPOINT_FOLDER
    resumed = _checkpoint_to_resume(
        checkpoints, _fingerprint(digest, model_settings, training_settings, lesson)
    )
    _announce(data, fitting, training_settings, count, place)
    trainer = _trainer(output, training_settings, place, fitting)
    try:
        trainer.fit(fitting, ckpt_path=resumed, weights_only=True)
    except SystemExit as stop:
        # Lightning ends the process with code 0 or 1 when a signal comes.
        raise KeyboardInterrupt from stop
    except Interrupted:
        logger.info("the same command goes on from the checkpoint in %s", checkpoints)
        raise
    best = torch.load(checkpoints / "best.ckpt", map_location="cpu", weights_only=True)
    fitting.load_state_dict(best["state_dict"])
    model = fitting.fitted.cpu().eval()
    calibrated = _calibrated(fitting, data, training_settings)
    sites = None
    if data.header.sites is not None:
        raw = Bundle(
            model,
            data.header.alphabet,
            data.header.scheme,
            calibrated.temperature,
            {},
            calibrated.offsets,
            {},
        )
        sites = chosen_sites(
            Predictor(raw, "cpu", count),
            read_records(dataset, "valid"),
            data.header.sites,
            training_settings.false_positives_per_kb,
        )
    best_row = max(fitting.history, key=lambda row: row["valid_score"])
    write_text_whole(output / HISTORY_FILE, history_as_csv(fitting.history))
    save_bundle(
        output / MODEL_FOLDER,
        model,
        data.header.alphabet,
        data.header.scheme,
        calibrated.temperature,
        {
            "settings": training_settings.model_dump(),
            "dataset_sha256": digest,
            "teacher_sha256": lesson,
            "dataset_sources": dict(data.header.sources),
            "chains": data.train_chains,
            "residues": sum(len(example) for example in data.train),
            "valid_chains": data.valid_chains,
            "valid_score": best_row["valid_score"],
            "valid_ece": calibrated.error,
            "score": training_settings.select_by,
            "score_scheme": data.header.scheme.headline.name,
            "best_epoch": best_row["epoch"],
            "epochs_run": fitting.history[-1]["epoch"],
            "padding_waste": fitting.padding_waste,
            "seconds": round(time.monotonic() - started, 1),
            "device": str(place),
            "threads": count,
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "torch": torch.__version__,
                "pytorch-lightning": importlib.metadata.version("pytorch-lightning"),
            },
        },
        offsets=calibrated.offsets,
        sites=sites,
    )
    shutil.rmtree(checkpoints)
    return output / MODEL_FOLDER


def _trainer(
    output: Path, settings: TrainingSettings, device: torch.device, fitting: Fitting
) -> lightning.Trainer:
    precision: Any = settings.precision
    if precision == "auto":
        precision = "16-mixed" if device.type == "cuda" else "32"
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    # Lightning advises on data-loader workers; batches are made in memory and need none.
    warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric")
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=1,
        precision=precision,
        max_epochs=settings.epochs * settings.validations_per_epoch,
        gradient_clip_val=settings.gradient_clip,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(output, name=TENSORBOARD_FOLDER, version=""),
        callbacks=[
            EarlyStopping("valid_score", mode="max", patience=settings.patience),
            ModelCheckpoint(
                output / CHECKPOINT_FOLDER,
                filename="best",
                monitor="valid_score",
                mode="max",
                save_last=True,
                save_on_train_epoch_end=True,
                enable_version_counter=False,
            ),
            TrainingProgress(fitting, output / HISTORY_FILE),
        ],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def _fingerprint(
    digest: str, model: ModelSettings, training: TrainingSettings, lesson: str | None
) -> str:
    content = [__version__, digest, model.model_dump(), training.model_dump(), lesson]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _checkpoint_to_resume(folder: Path, fingerprint: str) -> Path | None:
    mark, last = folder / "fingerprint", folder / "last.ckpt"
    if mark.is_file() and mark.read_text(encoding="utf-8") == fingerprint and last.is_file():
        logger.info("going on from the checkpoint in %s", folder)
        return last
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
        "%d steps of up to %d residues, %.1f %% padding; %s, %d threads",
        data.train_chains,
        sum(len(example) for example in data.train),
        data.valid_chains,
        sum(parameter.numel() for parameter in fitting.model.parameters()),
        fitting.total_steps,
        settings.batch_residues,
        100 * fitting.padding_waste,
        device,
        threads,
    )


class _Calibration(NamedTuple):
    temperature: float
    offsets: tuple[float, ...]
    error: float


def _calibrated(fitting: Fitting, data: TrainingData, settings: TrainingSettings) -> _Calibration:
    parts, classes = [], []
    with torch.inference_mode():
        for batch in fitting.valid_batches:
            counted = (batch.classes >= 0) & (batch.classes < data.header.scheme.size)
            answer = fitting.fitted(torch.from_numpy(batch.codes), torch.from_numpy(batch.lengths))
            parts.append(answer.logits.numpy()[counted])
            classes.append(batch.classes[counted])
    logits, observed = np.concatenate(parts), np.concatenate(classes)
    if not (settings.background_ratio or settings.focal_gamma):
        temperature, error = calibration(logits, observed)
        return _Calibration(temperature, (), error)
    temperature, offsets = fit_offsets(logits, observed)
    probabilities = softmax(logits / temperature + offsets, axis=1)
    return _Calibration(
        temperature, tuple(offsets.tolist()), calibration_error(probabilities, observed)
    )
