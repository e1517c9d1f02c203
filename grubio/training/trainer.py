"""Lightning's trainer for a fit: devices, precision, checkpoints, early stopping, logs."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.strategies import DDPStrategy

from grubio.config import TrainingSettings
from grubio.runs.files import CHECKPOINT_FOLDER, HISTORY_FILE, TENSORBOARD_FOLDER
from grubio.training.checkpoints import BEST, LAST, OwnCheckpoint, WholeCheckpoints
from grubio.training.lightning_module import Fitting
from grubio.training.progress import TrainingProgress


class _Stopping(EarlyStopping):
    """Stops at once where the training that it resumes had been stopped by it."""

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Stop if the checkpoint is that of the last validation before the stop."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


def new_trainer(
    output: Path,
    settings: TrainingSettings,
    device: torch.device,
    fitting: Fitting,
    environment: ClusterEnvironment | None = None,
) -> lightning.Trainer:
    """Return a trainer that writes into ``output``.

    Processes that train together find each other through ``environment``; without one, through the
    variables that ``torchrun`` or ``srun`` has set.
    """
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Lightning recommends data-loader workers; batches are made in memory and need none.
    warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric")
    strategy: Any = "auto"
    if settings.all_processes > 1:
        strategy = DDPStrategy(
            process_group_backend="nccl" if device.type == "cuda" else "gloo",
            broadcast_buffers=False,
            # A head gets no gradient if no residue of a batch has an answer for its target.
            find_unused_parameters=bool(fitting.targets),
        )
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=settings.processes,
        num_nodes=settings.nodes,
        strategy=strategy,
        plugins=[WholeCheckpoints(), *([environment] if environment else [])],
        precision="16-mixed" if fitting.precision == "16" else "32-true",
        max_epochs=settings.epochs * settings.validations_per_epoch,
        gradient_clip_val=settings.gradient_clip,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(output, name=TENSORBOARD_FOLDER, version=""),
        callbacks=[
            _Stopping("valid_score", mode="max", patience=settings.patience),
            OwnCheckpoint(output / CHECKPOINT_FOLDER, BEST, monitor="valid_score", mode="max"),
            # Lightning's own `save_last` leaves out validations without a better score.
            OwnCheckpoint(output / CHECKPOINT_FOLDER, LAST),
            TrainingProgress(fitting, output / HISTORY_FILE),
        ],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
