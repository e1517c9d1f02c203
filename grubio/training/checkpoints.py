"""The checkpoints of a training: written whole, found where they lie now, discarded in the end."""

from __future__ import annotations

import contextlib
import io
import logging
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import ModelCheckpoint

from grubio.errors import GrubioError
from grubio.files import delete_with_leftovers, write_text_whole, written_whole

logger = logging.getLogger(__name__)

LAST, BEST = "last", "best"
"""The checkpoint of the last validation, and the one with the best score."""

_FINGERPRINT = "fingerprint"


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it.

    Lightning writes it to the folder of temporary files; from there to another file system it is
    copied, and a full disk leaves the beginning of it.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write a checkpoint."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with written_whole(path) as temporary:
            temporary.write_bytes(content.getbuffer())


class OwnCheckpoint(ModelCheckpoint):
    """One checkpoint, of a fixed name."""

    def __init__(self, folder: Path, name: str, **which: Any) -> None:
        super().__init__(
            folder,
            filename=name,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
            **which,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score, also if the folder has been moved, where Lightning drops it."""
        own = self.format_checkpoint_name({})
        here = {
            "dirpath": self.dirpath,
            "best_model_path": own,
            "kth_best_model_path": own,
            "best_k_models": dict.fromkeys([own], state_dict["best_model_score"])
            if state_dict["best_k_models"]
            else {},
        }
        super().load_state_dict({**state_dict, **here})


def checkpoint_to_resume(folder: Path, fingerprint: str, *, writes: bool) -> Path | None:
    """Return the checkpoint to go on from: a sound one of a training with the same fingerprint.

    If there is none, the process that ``writes`` prepares the folder for a new training.

    Raises
    ------
    GrubioError
        If the folder holds the files of another program.
    """
    mark = folder / _FINGERPRINT
    known = mark.is_file() and mark.read_bytes() == fingerprint.encode()
    if known and (found := _sound_checkpoint(folder)):
        logger.info("resuming from the checkpoint in %s", folder)
        return found
    # Only the process of rank 0 replaces the checkpoints of another training.
    if writes:
        _require_own(folder)
        if any(path.exists() for path in _checkpoints(folder)):
            what = "is damaged" if known else "is of other data, other settings or another version"
            logger.warning("warning: the checkpoint in %s %s: training starts anew", folder, what)
        discard_checkpoints(folder)
        write_text_whole(mark, fingerprint)
    return None


def best_weights(folder: Path, history: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Return the weights with the best score of the training with this history.

    Raises
    ------
    GrubioError
        If the checkpoint is that of another training.
    """
    path = folder / f"{BEST}.ckpt"
    best = torch.load(path, map_location="cpu", weights_only=True)
    # Not even a training with the same settings is as fast to the last digit.
    speeds = [[row["residues_per_second"] for row in rows] for rows in (best["history"], history)]
    if speeds[0] != speeds[1][: len(speeds[0])]:
        raise GrubioError(
            "is the checkpoint of another training that is at work in the same folder",
            path=path,
            hint="train into a folder of its own: --output",
        )
    weights: dict[str, Any] = best["state_dict"]
    return weights


def discard_checkpoints(folder: Path) -> None:
    """Delete the checkpoints, and their folder if nothing else is in it."""
    # The mark goes last: without it the rest would be taken for the files of another program.
    for path in (*_checkpoints(folder), folder / _FINGERPRINT):
        delete_with_leftovers(path)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _checkpoints(folder: Path) -> tuple[Path, Path]:
    return folder / f"{LAST}.ckpt", folder / f"{BEST}.ckpt"


def _require_own(folder: Path) -> None:
    if not folder.exists() or (folder / _FINGERPRINT).is_file():
        return
    # A killed process may have left a hidden file of the mark.
    if not folder.is_dir() or any(not path.name.startswith(".") for path in folder.iterdir()):
        raise GrubioError(
            f"is not a folder of checkpoints of grubio: it has no file '{_FINGERPRINT}'",
            path=folder,
            hint="give another --output, or move this away",
        )


def _sound_checkpoint(folder: Path) -> Path | None:
    last, best = _checkpoints(folder)
    # The model in the end is the best one, whichever training goes on from.
    if not _is_sound(best):
        return None
    if _is_sound(last):
        return last
    if last.exists():
        logger.warning("warning: %s is damaged; %s is taken instead", last, best.name)
    return best


def _is_sound(checkpoint: Path) -> bool:
    # PyTorch's format is ZIP, with a checksum of each part.
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile):
        return False
