"""Columns that a notebook takes as a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from grubio.errors import GrubioError

if TYPE_CHECKING:
    import pandas
    import polars


class Columns(ABC):
    """What has columns of equal length, by name."""

    @abstractmethod
    def columns(self) -> dict[str, Any]:
        """Return the columns, by name."""

    def to_pandas(self) -> pandas.DataFrame:
        """Return a pandas DataFrame of :meth:`columns`.

        Raises
        ------
        GrubioError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise _missing("pandas") from error
        return pandas.DataFrame(self.columns())

    def to_polars(self) -> polars.DataFrame:
        """Return a polars DataFrame of :meth:`columns`.

        Raises
        ------
        GrubioError
            If polars is not installed.
        """
        try:
            import polars
        except ImportError as error:
            raise _missing("polars") from error
        return polars.DataFrame(self.columns())


def _missing(library: str) -> GrubioError:
    return GrubioError(f"{library} is not installed", hint=f"pip install 'grubio[{library}]'")
