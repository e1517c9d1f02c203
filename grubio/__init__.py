"""grubio: a bidirectional GRU that labels every residue of a sequence."""

from __future__ import annotations

__version__ = "0.1.0"
