"""Columns that a notebook takes as a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any

from grubio.extras import require

if TYPE_CHECKING:
    import pandas
    import polars


class Columns(ABC):
    """What has columns of equal length, by name."""

    @abstractmethod
    def columns(self) -> dict[str, Any]:
        """Return the columns, by name."""

    def to_pandas(self) -> pandas.DataFrame:
        """Return a pandas DataFrame of :meth:`columns`; GrubioError if pandas is missing."""
        return _library("pandas").DataFrame(self.columns())

    def to_polars(self) -> polars.DataFrame:
        """Return a polars DataFrame of :meth:`columns`; GrubioError if polars is missing."""
        table: polars.DataFrame = _library("polars").DataFrame(self.columns())
        return table


def _library(name: str) -> Any:
    require(name, f"to_{name}()")
    return import_module(name)
