"""One fit as Lightning sees it: loss, score, optimiser, and the batches of each part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytorch_lightning as lightning
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from grubio.batching import IGNORED, Batch
from grubio.config import TrainingSettings
from grubio.model import BiGRULabeller
from grubio.scheme import LabelScheme

HISTORY_COLUMNS = (
    "epoch",
    "step",
    "residues",
    "train_loss",
    "valid_loss",
    "valid_score",
    "learning_rate",
    "residues_per_second",
)


class Fitting(lightning.LightningModule):
    """Masked cross-entropy, AdamW and a one-cycle learning rate over the labeller.

    A Lightning epoch is one part of a pass over the data: the stretch between two validations.

    Parameters
    ----------
    model
        The network.
    settings
        How to fit it.
    scheme
        The classes; the score is the share of residues right in its headline scheme.
    train
        Gives the batches of a part, by the part's number; the same number, the same batches.
    valid
        Batches to validate on.
    total_steps
        Steps of all parts together.
    class_weights
        Weight of each class in the loss, float32 ``(class,)``, or None.
    padding_waste
        Share of computed steps that are padding.
    """

    def __init__(
        self,
        model: BiGRULabeller,
        settings: TrainingSettings,
        scheme: LabelScheme,
        *,
        train: Callable[[int], list[Batch]],
        valid: list[Batch],
        total_steps: int,
        class_weights: Tensor | None,
        padding_waste: float,
    ) -> None:
        super().__init__()
        self.model = model
        self.settings = settings
        self.valid_batches = valid
        self.total_steps = total_steps
        self.padding_waste = padding_waste
        self.history: list[dict[str, float]] = []
        self.residues_seen = 0
        self.residues_per_second = 0.0
        self._train = train
        reduction = torch.from_numpy(scheme.reduction_matrix(scheme.headline))
        self.register_buffer("_reduction", reduction, persistent=False)
        self.register_buffer("_class_weights", class_weights, persistent=False)
        self._train_sums = torch.zeros(2)
        self._valid_sums = torch.zeros(3)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of the current part."""
        return _loader(self._train(self.current_epoch))

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the batches to validate on."""
        return _loader(self.valid_batches)

    def on_train_epoch_start(self) -> None:
        """Start the sums of a part."""
        self._train_sums = torch.zeros(2)

    def on_train_batch_start(self, *_: Any) -> None:
        """Make dropout depend on the seed and the step alone, for exact resume."""
        torch.manual_seed((self.settings.seed + 1) * 1_000_003 + self.global_step)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Return the mean loss of the counted residues of a batch."""
        codes, lengths, classes = batch
        loss = self._loss(self.model(codes, lengths), classes)
        counted = (classes != IGNORED).sum()
        self._train_sums += torch.stack((loss.detach() * counted, counted)).cpu()
        self.residues_seen += int(lengths.sum())
        return loss

    def on_validation_epoch_start(self) -> None:
        """Start the sums of a validation."""
        self._valid_sums = torch.zeros(3)

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Add the loss and the number of residues right of a batch."""
        codes, lengths, classes = batch
        logits = self.model(codes, lengths).float()
        counted = classes != IGNORED
        reduction = cast("Tensor", self._reduction)
        called = (logits.softmax(dim=2) @ reduction).argmax(dim=2)
        right = (called == reduction.argmax(dim=1)[classes.clamp(min=0)]) & counted
        total = counted.sum()
        loss = self._loss(logits, classes)
        self._valid_sums += torch.stack((loss * total, right.sum(), total)).cpu()

    def on_validation_epoch_end(self) -> None:
        """Write a row of the history."""
        loss, right, counted = self._valid_sums.tolist()
        train_loss, train_counted = self._train_sums.tolist()
        row = {
            "epoch": (self.current_epoch + 1) / self.settings.validations_per_epoch,
            "step": float(self.global_step),
            "residues": float(self.residues_seen),
            "train_loss": train_loss / max(train_counted, 1),
            "valid_loss": loss / max(counted, 1),
            "valid_score": right / max(counted, 1),
            "learning_rate": self.optimizers().param_groups[0]["lr"],  # type: ignore[union-attr]
            "residues_per_second": self.residues_per_second,
        }
        self.history.append(row)
        self.log_dict({k: row[k] for k in ("train_loss", "valid_loss", "valid_score")})
        self.log("learning_rate", row["learning_rate"])

    def configure_optimizers(self) -> Any:
        """Return AdamW with a one-cycle schedule (Smith and Topin, 2019) over all steps."""
        settings = self.settings
        optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=settings.learning_rate,
            # One more than is taken: the schedule steps once after the last update.
            total_steps=self.total_steps + 1,
            pct_start=max(settings.warmup_fraction, 1e-3),
            cycle_momentum=False,
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history with the weights."""
        checkpoint["history"] = self.history
        checkpoint["residues_seen"] = self.residues_seen

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again."""
        self.history = checkpoint["history"]
        self.residues_seen = checkpoint["residues_seen"]

    def _loss(self, logits: Tensor, classes: Tensor) -> Tensor:
        weights = cast("Tensor | None", self._class_weights)
        return cross_entropy(
            logits.flatten(0, 1), classes.flatten(), weight=weights, ignore_index=IGNORED
        )


def history_as_csv(history: Sequence[dict[str, float]]) -> str:
    """Return the history as CSV text, one row per validation."""
    lines = [",".join(HISTORY_COLUMNS)]
    lines += [",".join(f"{row[column]:.6g}" for column in HISTORY_COLUMNS) for row in history]
    return "\n".join(lines) + "\n"


def _loader(batches: list[Batch]) -> DataLoader[Batch]:
    return DataLoader(batches, batch_size=None, collate_fn=_as_tensors)  # type: ignore[arg-type]


def _as_tensors(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(batch.codes),
        torch.from_numpy(batch.lengths),
        torch.from_numpy(batch.classes),
    )
