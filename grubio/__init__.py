"""grubio: a bidirectional GRU that labels every residue of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grubio.api import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    # ``import grubio`` stays light: PyTorch is loaded with the first model.
    if name == "load":
        from grubio.api import load

        return load
    raise AttributeError(f"module 'grubio' has no attribute '{name}'")
