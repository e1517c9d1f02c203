"""One fit as Lightning sees it: loss, optimiser, validation, and the batches of each part."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias, cast

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, default_convert

from grubio.config import Metric, TrainingSettings
from grubio.errors import GrubioError
from grubio.files import table_text
from grubio.model.batching import IGNORED, Example, dealt_batches, is_dealt, padded
from grubio.model.heads import Head, Outputs
from grubio.model.labeller import Labeller
from grubio.sequences.posteriors import grammar_posteriors
from grubio.sequences.target import LABELS, Target
from grubio.training.batch_plan import Batches, BatchPlan
from grubio.training.crf import ConditionalRandomField
from grubio.training.distributed import gathered, sum_over_processes
from grubio.training.homolog_augmentation import with_substitutions
from grubio.training.losses import label_loss, shares_loss, target_loss, value_loss
from grubio.training.parent import by_learning_rate
from grubio.training.precision import Precision
from grubio.training.profile_dropout import own_profile_table, with_own_profiles
from grubio.training.profile_thinning import with_few_homologs
from grubio.training.stem_motifs import Held
from grubio.training.validation_score import validation_score

Tensors: TypeAlias = tuple[
    Tensor, Tensor, Tensor, dict[str, Tensor], dict[str, Tensor], Tensor | None
]
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
    "gradient_norm",
    "clipped_share",
)


class Fitting(lightning.LightningModule):
    """Masked loss of the main target, AdamW and a one-cycle learning rate for a labeller.

    Additional targets add their losses where a batch has answers for them; the heads of those that
    are not shipped are not part of the labeller. Reported losses and scores are those of the main
    target alone.

    A Lightning epoch is one part of a pass over the data: from one validation to the next.

    Each of n processes takes every n-th batch, in training and in validation. The gradient of a
    step is that of the batches of all processes, weighted by their counted residues; losses, scores
    and numbers of residues are summed over all processes.

    Parameters
    ----------
    model
        The labeller to fit.
    settings
        How to fit it.
    targets
        Additional targets to learn.
    plan
        The batches.
    class_weights
        Weight of each class in the loss, float32 ``(class,)``, or None.
    score
        The metric of the validation score.
    rare
        Class indices over which the average precision is averaged, if that is the metric.
    held
        Weights that do not change.

    Attributes
    ----------
    precision
        That of the network's products; set before the fit starts.
    """

    def __init__(
        self,
        model: Labeller,
        settings: TrainingSettings,
        *,
        targets: Sequence[Target],
        plan: BatchPlan,
        class_weights: Tensor | None,
        score: Metric,
        rare: Sequence[int],
        held: Held | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.held = held
        self.settings = settings
        self.targets = targets
        self.total_steps = plan.total_steps
        self.padding_waste = plan.padding_waste
        self.score = score
        self.history: list[dict[str, float]] = []
        self.precision: Precision = "32"
        self.residues_seen = 0
        self.residues_per_second = 0.0
        self.started = time.monotonic()
        self._seconds_before = 0.0
        self.auxiliary_heads = nn.ModuleDict(
            {t.name: Head(model.network.features, t) for t in targets if not t.shipped}
        )
        self.average = (
            AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.weight_averaging))  # type: ignore[no-untyped-call]
            if settings.weight_averaging
            else None
        )
        if self.average is not None:
            # DDP waits for the gradient of every parameter that requires one.
            self.average.requires_grad_(False)
        self.register_buffer("_class_weights", class_weights, persistent=False)
        changed = settings.profile_dropout or settings.profile_thinning
        own = torch.from_numpy(own_profile_table()) if changed else None
        self.register_buffer("_own_profiles", own, persistent=False)
        self._main = model.targets[0]
        scheme = self._main.scheme
        self.crf = ConditionalRandomField(scheme) if scheme and settings.loss == "crf" else None
        self._plan = plan
        self._rare = rare
        self._train_sums = torch.zeros(2)
        self._train_batches = 0
        self._gradients = _Gradients()

    @property
    def fitted(self) -> Labeller:
        """The labeller to validate and to save: the averaged one, if weights are averaged."""
        return cast("Labeller", self.average.module) if self.average else self.model

    @property
    def seconds(self) -> float:
        """Seconds of training until now, including those before it was resumed."""
        return self._seconds_before + time.monotonic() - self.started

    def train_dataloader(self) -> DataLoader[Example]:
        """Return the batches of the current part."""
        batches = self._plan.train(self.current_epoch)
        self._train_batches = len(batches.indices)
        return self._loader(batches)

    def val_dataloader(self) -> DataLoader[Example]:
        """Return the batches to validate on."""
        return self._loader(self._plan.valid)

    def on_train_start(self) -> None:
        """Check that all processes resumed from the same checkpoint."""
        if len(set(gathered([self.global_step]))) > 1:
            raise RuntimeError("the processes of this training see different checkpoints")

    def on_train_epoch_start(self) -> None:
        """Reset the sums of a part."""
        self._train_sums = torch.zeros(2)
        self._gradients = _Gradients()

    def on_train_batch_start(self, *_: Any) -> None:
        """Make dropout depend on the seed and the step alone, for exact resume."""
        seed = (self.settings.seed + 1) * 1_000_003 + self.global_step
        torch.manual_seed(seed + self.global_rank * 1_000_000_007)

    def training_step(self, batch: Tensors, turn: int) -> Tensor:
        """Return the mean loss of the counted residues of a batch.

        With several processes it is multiplied by their number and by this one's share of the
        counted residues of the step, because processes average their gradients.
        """
        codes, lengths, classes, answers, teacher, profiles = batch
        settings = self.settings
        shares = answers.get(settings.homolog_profile, profiles)
        if settings.homolog_augmentation and shares is not None:
            codes = with_substitutions(codes, shares, settings.homolog_augmentation)
        if self._own_profiles is not None and profiles is not None:
            table = cast("Tensor", self._own_profiles)
            if settings.profile_thinning:
                profiles = with_few_homologs(profiles, codes, table, settings.profile_thinning)
            profiles = with_own_profiles(profiles, codes, table, settings.profile_dropout)
        states = self._states(self.model, codes, lengths, profiles)
        outputs = self.model.outputs(states)
        loss, known = self._main_loss(outputs, classes, answers, lengths)
        own = self._is_dealt(turn, self._train_batches)
        counted, read = known.sum() * own, lengths.sum() * own
        self._train_sums += torch.stack((loss.detach() * counted, counted)).cpu()
        if LABELS in teacher:
            share = settings.teacher_weight
            loss = (1 - share) * loss + share * shares_loss(outputs[LABELS], teacher[LABELS])
        for target in self.targets:
            name = target.name
            if name in answers:
                output = outputs[name] if target.shipped else self.auxiliary_heads[name](states)
                loss = loss + target.weight * target_loss(target, output, answers[name])
        _require_finite(loss, f"step {self.global_step + 1}")
        together, seen_together = sum_over_processes(torch.stack((counted, read))).tolist()
        self.residues_seen += seen_together
        processes = settings.all_processes
        return loss if processes == 1 else loss * (counted * processes / max(together, 1))

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: Any = None, gradient_clip_algorithm: Any = None
    ) -> None:
        """Clip the gradient of a step, and keep its norm from before."""
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        self._gradients.add(nn.utils.clip_grad_norm_(weights, gradient_clip_val), gradient_clip_val)

    def on_train_batch_end(self, *_: Any) -> None:
        """Restore the weights that are held, and update the average of all."""
        if self.held is not None:
            self.held.restore()
        if self.average is not None:
            self.average.update_parameters(self.model)

    def on_validation_epoch_start(self) -> None:
        """Reset the sums of a validation."""
        self._valid_sums = torch.zeros(2)
        self._validated = validation_score(self._main, self.score, self._rare)

    def validation_step(self, batch: Tensors, turn: int) -> None:
        """Add the loss and the predictions of a batch."""
        if not self._is_dealt(turn, len(self._plan.valid.indices)):
            return
        codes, lengths, classes, answers, _, profiles = batch
        outputs = self.fitted.outputs(self._states(self.fitted, codes, lengths, profiles))
        output = outputs[self._main.name].float()
        if self._main.scheme is None:
            observed, found = answers[self._main.name], output
        else:
            observed = classes = classes.masked_fill(classes >= self._main.size, IGNORED)
            found = self._probabilities(output, lengths)
        loss, known = self._main_loss(outputs, classes, answers, lengths)
        self._validated.add(found[known], observed[known])
        self._valid_sums += torch.stack((loss * known.sum(), known.sum())).cpu()

    def on_validation_epoch_end(self) -> None:
        """Append a row to the history."""
        sums = torch.cat((self._valid_sums, self._train_sums)).to(self.device)
        loss, counted, train_loss, train_counted = sum_over_processes(sums).tolist()
        # Before the checkpoint is written, so that the last one can be used.
        _require_finite(sums[0], f"the validation after step {self.global_step}")
        row = {
            "epoch": (self.current_epoch + 1) / self.settings.validations_per_epoch,
            "step": float(self.global_step),
            "residues": float(self.residues_seen),
            "train_loss": train_loss / max(train_counted, 1),
            "valid_loss": loss / max(counted, 1),
            "valid_score": self._validated.value(self.device),
            "learning_rate": self.optimizers().param_groups[-1]["lr"],  # type: ignore[union-attr]
            "residues_per_second": self.residues_per_second,
            "gradient_norm": self._gradients.mean_norm,
            "clipped_share": self._gradients.clipped_share,
        }
        self.history.append(row)
        left_out = ("epoch", "step", "residues", "residues_per_second")
        self.log_dict({column: value for column, value in row.items() if column not in left_out})

    def configure_optimizers(self) -> Any:
        """Return AdamW with a one-cycle schedule (Smith and Topin, 2019) over all steps."""
        settings = self.settings
        further = nn.ModuleList([self.auxiliary_heads, *([self.crf] if self.crf else [])])
        groups = by_learning_rate(self.model, further, settings)
        optimiser = torch.optim.AdamW(
            groups,
            weight_decay=settings.weight_decay,
            fused=self.device.type == "cpu",
        )
        # One more than is taken: the schedule steps once after the last update.
        steps = self.total_steps + 1
        warmup = max(settings.warmup_fraction, 1e-3)
        if math.isclose(warmup * steps, 1):
            # PyTorch would divide by the length of a warm-up that ends at its first step.
            warmup *= 1 + 1e-6
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=[group["lr"] for group in groups],
            total_steps=steps,
            pct_start=warmup,
            cycle_momentum=False,
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the history with the weights."""
        checkpoint["history"] = self.history
        checkpoint["residues_seen"] = self.residues_seen
        checkpoint["seconds"] = self.seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the history."""
        self.history = checkpoint["history"]
        self.residues_seen = checkpoint["residues_seen"]
        self._seconds_before = checkpoint["seconds"]

    def _loader(self, batches: Batches) -> DataLoader[Example]:
        examples, indices = batches
        pad_code = self.model.network.stem.pad_code
        dealt = dealt_batches(len(indices), self.global_rank, self.settings.all_processes)
        return DataLoader(
            examples,  # type: ignore[arg-type]
            batch_sampler=[indices[number] for number in dealt],
            collate_fn=lambda chosen: default_convert(padded(chosen, pad_code)),  # type: ignore[no-untyped-call]
        )

    def _states(
        self, model: Labeller, codes: Tensor, lengths: Tensor, profiles: Tensor | None
    ) -> Tensor:
        # Heads and losses are computed in float32. The autocast of precision 16 is Lightning's.
        mixed = torch.autocast(self.device.type, torch.bfloat16)
        with mixed if self.precision == "bf16" else nullcontext():
            states: Tensor = model.network(codes, lengths, profiles)
        return states.float()

    def _probabilities(self, logits: Tensor, lengths: Tensor) -> Tensor:
        # (time, batch, class)
        found = logits.softmax(dim=-1)
        if self.crf is not None:
            own = [found[:size, at].cpu().numpy() for at, size in enumerate(lengths.tolist())]
            decoded = grammar_posteriors(own, self.crf.graph, self.crf.transitions())
            for at, rows in enumerate(decoded):
                found[: len(rows), at] = torch.from_numpy(rows)
        return found

    def _main_loss(
        self, outputs: Outputs, classes: Tensor, answers: Mapping[str, Tensor], lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        # The mean loss of the main target, and where its answer is known, (time, batch).
        target, output = self._main, outputs[self._main.name].float()
        if target.scheme is None:
            nothing = torch.full_like(classes, math.nan, dtype=torch.float32)
            wanted = answers.get(target.name, nothing)
            return value_loss(target, output, wanted), ~wanted.isnan()
        if self.crf is not None:
            return self.crf(output, classes, lengths), classes != IGNORED
        loss = label_loss(
            output,
            classes,
            target.scheme,
            weights=cast("Tensor | None", self._class_weights),
            focal_gamma=self.settings.focal_gamma,
            soft=answers.get(LABELS),
        )
        return loss, classes != IGNORED

    def _is_dealt(self, turn: int, batches: int) -> bool:
        return is_dealt(turn, batches, self.global_rank, self.settings.all_processes)


class _Gradients:
    """The norms of the gradients of a part before they are clipped.

    Those that are not finite, as in a step that mixed precision leaves out, do not count.
    """

    def __init__(self) -> None:
        # The sum of the norms, how many were clipped, and how many there were.
        self._sums: Tensor | None = None

    def add(self, norm: Tensor, limit: float) -> None:
        """Add the norm of a step; nothing is copied from its device."""
        norm, counts = norm.detach().float(), norm.isfinite()
        clipped = (norm > limit) & counts
        sums = torch.stack((norm.where(counts, 0), clipped.float(), counts.float()))
        self._sums = sums if self._sums is None else self._sums + sums

    @property
    def mean_norm(self) -> float:
        """The mean over steps; NaN without one."""
        return self._per_step(0)

    @property
    def clipped_share(self) -> float:
        """The share of the steps whose gradient was clipped; NaN without one."""
        return self._per_step(1)

    def _per_step(self, place: int) -> float:
        return math.nan if self._sums is None else float(self._sums[place] / self._sums[2])


def history_as_csv(history: Sequence[Mapping[str, float]]) -> str:
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
