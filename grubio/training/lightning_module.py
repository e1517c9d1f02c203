"""One fit as Lightning sees it: loss, score, optimiser, and the batches of each part."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Subset

from grubio.config import Metric, TrainingSettings
from grubio.errors import GrubioError
from grubio.files import table_text
from grubio.metrics.classification import OVERALL, mean_average_precision
from grubio.metrics.headline import AVERAGE_PRECISION
from grubio.model.batching import IGNORED, Batch, dealt_batches, is_dealt
from grubio.model.heads import Head
from grubio.model.labeller import Labeller
from grubio.sequences.scheme import LabelScheme
from grubio.sequences.target import LABELS, Target
from grubio.training.distributed import gathered, sum_over_processes
from grubio.training.homolog_augmentation import with_substitutions
from grubio.training.losses import label_loss, shares_loss, value_loss

Tensors: TypeAlias = tuple[Tensor, Tensor, Tensor, dict[str, Tensor], dict[str, Tensor]]
"""The arrays of a :class:`grubio.model.batching.Batch`, in its order."""

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


class BatchPlan(NamedTuple):
    """The batches of a fit.

    Attributes
    ----------
    train
        Gives the batches of a part, by the part's number; the same number, the same batches.
    valid
        Batches to validate on.
    total_steps
        Steps of all parts together.
    padding_waste
        Share of computed steps that are padding.
    """

    train: Callable[[int], Sequence[Batch]]
    valid: Sequence[Batch]
    total_steps: int
    padding_waste: float


class Fitting(lightning.LightningModule):
    """Masked cross-entropy, AdamW and a one-cycle learning rate over the labeller.

    Further targets add their losses where a batch has answers for them; those that are not shipped
    have heads that are not part of the labeller. Reported losses and scores are those of the
    labels alone.

    A Lightning epoch is one part of a pass over the data: the stretch between two validations.

    Of several processes each takes every so-many-th batch, in training and in validation. The
    gradient of a step is that of all its batches, each weighing as many residues as it counts;
    losses, scores and numbers of residues are those of all processes.

    Parameters
    ----------
    model
        The network.
    settings
        How to fit it.
    scheme
        The classes; scores are those of its headline scheme.
    targets
        Further targets to learn.
    plan
        The batches.
    class_weights
        Weight of each class in the loss, float32 ``(class,)``, or None.
    score
        What a validation is scored by.
    rare
        Class indices whose mean average precision is the score, if it is that.
    """

    def __init__(
        self,
        model: Labeller,
        settings: TrainingSettings,
        scheme: LabelScheme,
        *,
        targets: Sequence[Target],
        plan: BatchPlan,
        class_weights: Tensor | None,
        score: Metric,
        rare: Sequence[int],
    ) -> None:
        super().__init__()
        self.model = model
        self.settings = settings
        self.valid_batches = plan.valid
        self.total_steps = plan.total_steps
        self.padding_waste = plan.padding_waste
        self.history: list[dict[str, float]] = []
        self.residues_seen = 0
        self.residues_per_second = 0.0
        self.started = time.monotonic()
        self._seconds_before = 0.0
        self._train = plan.train
        self.targets = targets
        self.auxiliary_heads = nn.ModuleDict(
            {
                target.name: Head(model.network.features, target)
                for target in targets
                if not target.shipped
            }
        )
        self.average = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.weight_averaging))  # type: ignore[no-untyped-call]
            if settings.weight_averaging
            else None
        )
        if self.average is not None:
            # Processes that train together wait for the gradient of whatever asks for one.
            self.average.requires_grad_(False)
        self._fine = scheme.size
        reduction = torch.from_numpy(scheme.reduction_matrix(scheme.headline))
        self.register_buffer("_reduction", reduction, persistent=False)
        coarse = scheme.reduction_matrix(scheme.coarse or scheme)
        self.register_buffer("_coarse", torch.from_numpy(coarse), persistent=False)
        self.register_buffer("_class_weights", class_weights, persistent=False)
        self.score = score
        self._rare = rare
        self._confusion = torch.zeros(scheme.headline.size, scheme.headline.size)
        self._train_sums = torch.zeros(2)
        self._valid_sums = torch.zeros(2)
        self._answers: list[tuple[Tensor, Tensor]] = []
        self._batches = 0

    @property
    def fitted(self) -> Labeller:
        """The network to validate and to keep: the averaged one, if weights are averaged."""
        return cast("Labeller", self.average.module) if self.average else self.model

    @property
    def seconds(self) -> float:
        """Seconds that training took until now, with those before it was resumed."""
        return self._seconds_before + time.monotonic() - self.started

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of the current part."""
        batches = self._train(self.current_epoch)
        self._batches = len(batches)
        return self._loader(batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the batches to validate on."""
        return self._loader(self.valid_batches)

    def on_train_start(self) -> None:
        """Make sure that all processes took up the same checkpoint."""
        if len(set(gathered([self.global_step]))) > 1:
            raise RuntimeError("the processes of this training see different checkpoints")

    def on_train_epoch_start(self) -> None:
        """Start the sums of a part."""
        self._train_sums = torch.zeros(2)

    def on_train_batch_start(self, *_: Any) -> None:
        """Make dropout depend on the seed and the step alone, for exact resume."""
        seed = (self.settings.seed + 1) * 1_000_003 + self.global_step
        torch.manual_seed(seed + self.global_rank * 1_000_000_007)

    def training_step(self, batch: Tensors, turn: int) -> Tensor:
        """Return the mean loss of the counted residues of a batch.

        Among several processes it is times the share of this one in the residues of the step.
        """
        codes, lengths, classes, answers, teacher = batch
        settings = self.settings
        if settings.homolog_augmentation and settings.homolog_profile in answers:
            profile = answers[settings.homolog_profile]
            codes = with_substitutions(codes, profile, settings.homolog_augmentation)
        states = self.model.network(codes, lengths)
        outputs = self.model.outputs(states)
        logits = outputs[LABELS]
        loss = self._label_loss(logits, classes)
        own = self._is_dealt(turn, self._batches)
        counted, read = (classes != IGNORED).sum() * own, lengths.sum() * own
        self._train_sums += torch.stack((loss.detach() * counted, counted)).cpu()
        if LABELS in teacher:
            share = settings.teacher_weight
            loss = (1 - share) * loss + share * shares_loss(logits, teacher[LABELS])
        for target in self.targets:
            if target.name in answers:
                found = (
                    outputs[target.name]
                    if target.shipped
                    else self.auxiliary_heads[target.name](states)
                )
                loss = loss + target.weight * _loss_of(target, found, answers[target.name])
        _require_finite(loss, f"step {self.global_step + 1}")
        together, seen_together = sum_over_processes(torch.stack((counted, read))).tolist()
        self.residues_seen += seen_together
        processes = settings.all_processes
        # Processes average their gradients.
        return loss if processes == 1 else loss * (counted * processes / max(together, 1))

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average of the weights."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def on_validation_epoch_start(self) -> None:
        """Start the sums of a validation."""
        self._valid_sums = torch.zeros(2)
        self._confusion = torch.zeros_like(self._confusion)
        self._answers = []

    def validation_step(self, batch: Tensors, turn: int) -> None:
        """Add the loss and the number of residues right of a batch."""
        if not self._is_dealt(turn, len(self.valid_batches)):
            return
        codes, lengths, classes, *_ = batch
        logits = self.fitted(codes, lengths)[LABELS].float()
        classes = classes.masked_fill(classes >= self._fine, IGNORED)
        counted = classes != IGNORED
        reduction = cast("Tensor", self._reduction)
        probabilities, observed = logits[counted].softmax(dim=1), classes[counted]
        called = (probabilities @ reduction).argmax(dim=1)
        size = len(self._confusion)
        pairs = reduction.argmax(dim=1)[observed] * size + called
        self._confusion += torch.bincount(pairs, minlength=size**2).reshape(size, size).cpu()
        loss = self._label_loss(logits, classes)
        if self.score == AVERAGE_PRECISION:
            self._answers.append((probabilities.cpu(), observed.cpu()))
        self._valid_sums += torch.stack((loss * len(observed), counted.sum())).cpu()

    def on_validation_epoch_end(self) -> None:
        """Write a row of the history."""
        sums = torch.cat((self._valid_sums, self._train_sums, self._confusion.flatten()))
        sums = sum_over_processes(sums.to(self.device)).cpu()
        loss, counted, train_loss, train_counted = sums[:4].tolist()
        # Checked before the checkpoint is written, so that the last one can be used.
        _require_finite(sums[0], f"the validation after step {self.global_step}")
        confusion = sums[4:].reshape(self._confusion.shape).numpy()
        row = {
            "epoch": (self.current_epoch + 1) / self.settings.validations_per_epoch,
            "step": float(self.global_step),
            "residues": float(self.residues_seen),
            "train_loss": train_loss / max(train_counted, 1),
            "valid_loss": loss / max(counted, 1),
            "valid_score": (
                self._mean_average_precision()
                if self.score == AVERAGE_PRECISION
                else float(np.nan_to_num(OVERALL[self.score](confusion)))
            ),
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
            [
                *self.model.parameters(),
                *self.auxiliary_heads.parameters(),
            ],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        # One more than is taken: the schedule steps once after the last update.
        steps = self.total_steps + 1
        warmup = max(settings.warmup_fraction, 1e-3)
        if math.isclose(warmup * steps, 1):
            # PyTorch would divide by the length of a warm-up that ends at its first step.
            warmup *= 1 + 1e-6
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=settings.learning_rate,
            total_steps=steps,
            pct_start=warmup,
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
        checkpoint["seconds"] = self.seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again."""
        self.history = checkpoint["history"]
        self.residues_seen = checkpoint["residues_seen"]
        self._seconds_before = checkpoint["seconds"]

    def _mean_average_precision(self) -> float:
        answers = gathered(self._answers)
        probabilities = torch.cat([answer for answer, _ in answers]).numpy()
        classes = torch.cat([observed for _, observed in answers]).numpy()
        return mean_average_precision(probabilities, classes, self._rare)

    def _loader(self, batches: Sequence[Batch]) -> DataLoader[Batch]:
        dealt = dealt_batches(len(batches), self.global_rank, self.settings.all_processes)
        mine: Any = Subset(batches, dealt)  # type: ignore[arg-type]
        return DataLoader(mine, batch_size=None, collate_fn=_as_tensors)  # type: ignore[arg-type]

    def _label_loss(self, logits: Tensor, classes: Tensor) -> Tensor:
        return label_loss(
            logits.flatten(0, 1),
            classes.flatten(),
            cast("Tensor", self._coarse),
            weights=cast("Tensor | None", self._class_weights),
            focal_gamma=self.settings.focal_gamma,
        )

    def _is_dealt(self, turn: int, batches: int) -> bool:
        processes = self.settings.all_processes
        return processes == 1 or is_dealt(turn, batches, self.global_rank, processes)


def history_as_csv(history: Sequence[dict[str, float]]) -> str:
    """Return the history as CSV text, one row per validation."""
    rows = ([f"{row[column]:.6g}" for column in HISTORY_COLUMNS] for row in history)
    return table_text(HISTORY_COLUMNS, rows, ",")


def _require_finite(loss: Tensor, when: str) -> None:
    if not torch.isfinite(loss):
        raise GrubioError(
            f"the loss of {when} is {loss.item()}: training has diverged",
            hint="try a lower --learning-rate, a lower --gradient-clip or --precision 32; the "
            "last checkpoint is from before",
        )


def _as_tensors(batch: Batch) -> Tensors:
    return (
        torch.from_numpy(batch.codes),
        torch.from_numpy(batch.lengths),
        torch.from_numpy(batch.classes),
        _tensors(batch.answers),
        _tensors(batch.teacher_probabilities),
    )


def _tensors(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _loss_of(target: Target, found: Tensor, answers: Tensor) -> Tensor:
    if target.scheme is None:
        return value_loss(found, answers)
    if target.shares:
        return shares_loss(found, answers)
    coarse = torch.from_numpy(target.scheme.reduction_matrix(target.scheme.coarse or target.scheme))
    return label_loss(found.flatten(0, 1), answers.flatten(), coarse.to(found.device))
