"""The precision of a training: which numbers its matrix products multiply."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

from grubio.errors import GrubioError

Precision: TypeAlias = Literal["32", "bf16", "16"]


def precision_for(wanted: Precision | Literal["auto"], device: str) -> Precision:
    """Return the precision for a setting; ``auto`` is the fastest that the device computes itself.

    That is ``bf16`` on a CPU with instructions for bfloat16 (AVX512_BF16 or AMX) and on a CUDA
    device of compute capability 8 or more, ``16`` on an older one, and ``32`` elsewhere.

    Raises
    ------
    GrubioError
        If the device has no such precision.
    """
    if wanted == "16" and device == "cpu":
        raise GrubioError("a CPU has no precision 16", hint="use --precision auto, bf16 or 32")
    if wanted != "auto":
        return wanted
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "16"
    return "bf16" if device == "cpu" and multiplies_bfloat16() else "32"


def multiplies_bfloat16() -> bool:
    """Tell whether PyTorch's library for this CPU has instructions for products of bfloat16."""
    # Functions that PyTorch's documentation leaves out; an earlier version may lack them.
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    found = any(getattr(torch.cpu, name, bool)() for name in known)
    return found and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
