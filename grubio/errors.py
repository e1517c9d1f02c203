"""Ends of a command without a traceback: an error that a person can act on, or a signal."""

from pathlib import Path


class GrubioError(Exception):
    """Bad input, reported to the person who can act on it.

    The command line prints the message as it is and exits with code 2.

    Parameters
    ----------
    problem
        What is wrong: what was expected, and what was found.
    path
        The file concerned.
    line
        1-based line in that file.
    record
        Identifier of the record concerned.
    position
        1-based residue position in that record.
    hint
        What to do about it.

    Examples
    --------
    >>> print(GrubioError("'7' is no residue", path="a.fa", record="P", position=3, hint="cut it"))
    a.fa: record 'P', position 3: '7' is no residue
    hint: cut it
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        record: str | None = None,
        position: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.path = path
        self.line = line
        self.record = record
        self.position = position
        self.hint = hint
        super().__init__(problem)

    def __str__(self) -> str:
        """Return the message in the order file, line, record, position, problem, hint."""
        places = []
        if self.line is not None:
            places.append(f"line {self.line}")
        if self.record is not None:
            places.append(f"record '{self.record}'")
        if self.position is not None:
            places.append(f"position {self.position}")
        parts = [str(self.path)] if self.path is not None else []
        if places:
            parts.append(", ".join(places))
        parts.append(self.problem)
        message = ": ".join(parts)
        return f"{message}\nhint: {self.hint}" if self.hint else message


class Interrupted(BaseException):
    """A signal asked the program to stop; unfinished outputs are removed on the way out.

    Parameters
    ----------
    number
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)
