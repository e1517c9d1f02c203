"""The progress of training: a live bar on a terminal, a line per validation elsewhere."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning

from grubio.files import write_text_whole
from grubio.progress import as_minutes, is_live, terminal
from grubio.training.lightning_module import Fitting, history_as_csv

logger = logging.getLogger(__name__)


class TrainingProgress(lightning.Callback):
    """Shows loss, score, residues per second and time left; rewrites the history file."""

    def __init__(self, fitting: Fitting, history_file: Path) -> None:
        self._fitting = fitting
        self._history_file = history_file
        self._bar: Any = None
        self._task: Any = None
        self._started = self._part_started = 0.0
        self._steps_before = self._residues_before = 0

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Start the clock and, on a terminal, the bar."""
        self._started = time.monotonic()
        self._steps_before = trainer.global_step
        if not is_live() or not trainer.is_global_zero:
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("training"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            console=terminal(),
            refresh_per_second=4,
        )
        self._bar.start()
        self._task = self._bar.add_task(
            "training", total=self._fitting.total_steps, completed=trainer.global_step, status=""
        )

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clock of a part."""
        self._part_started = time.monotonic()
        self._residues_before = self._fitting.residues_seen

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: Any, outputs: Any, *_: Any
    ) -> None:
        """Update the bar."""
        fitting = self._fitting
        seconds = max(time.monotonic() - self._part_started, 1e-9)
        fitting.residues_per_second = (fitting.residues_seen - self._residues_before) / seconds
        if self._bar is None:
            return
        score = f"{fitting.history[-1]['valid_score']:.4f}" if fitting.history else "-"
        self._bar.update(
            self._task,
            completed=trainer.global_step,
            status=f"epoch {trainer.current_epoch // fitting.settings.validations_per_epoch + 1}"
            f"/{fitting.settings.epochs}  loss {float(outputs['loss']):.3f}  valid {score}  "
            f"{fitting.residues_per_second:,.0f} residues/s  {self._left(trainer)} left",
        )

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the result of a part, in the process of rank 0."""
        if not trainer.is_global_zero:
            return
        row = self._fitting.history[-1]
        write_text_whole(self._history_file, history_as_csv(self._fitting.history))
        logger.info(
            f"epoch {row['epoch']:g}/{self._fitting.settings.epochs}: "
            f"train loss {row['train_loss']:.4f}, valid loss {row['valid_loss']:.4f}, "
            f"valid score {row['valid_score']:.4f}, {row['residues_per_second']:,.0f} residues/s, "
            f"{self._left(trainer)} left"
        )

    def on_train_end(self, *_: Any) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()

    def on_exception(self, *_: Any) -> None:
        """Remove the bar."""
        self.on_train_end()

    def _left(self, trainer: lightning.Trainer) -> str:
        done = trainer.global_step - self._steps_before
        rest = self._fitting.total_steps - trainer.global_step
        return as_minutes((time.monotonic() - self._started) / max(done, 1) * rest)
