"""What a command reads, brought to this machine before it runs, whatever word names it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from grubio.cli.dry_run import READ, TARGET, parts_of, text_of
from grubio.config import TargetSettings
from grubio.config.loading import checked
from grubio.fetching.local import local_path, local_paths, local_source


def with_local_inputs(command: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a command's parameters, with paths of this machine for what is read.

    Raises
    ------
    GrubioError
        If something cannot be fetched; see :func:`grubio.fetching.local.local_path`.
    """
    local = dict(values)
    for part in parts_of(command):
        given = values.get(part.name)
        if given is None or part.role not in (READ, TARGET):
            continue
        if part.role is TARGET:
            local[part.name] = [_local_target(word) for word in given]
        elif isinstance(given, list | tuple):
            local[part.name] = [
                type(one)(path) for one in given for path in local_paths(text_of(one))
            ]
        else:
            local[part.name] = type(given)(local_path(text_of(given)))
    return local


def _local_target(word: str) -> str:
    settings = checked(TargetSettings, word)
    if settings.file is None:
        return word
    keys = settings.model_dump(mode="json", exclude_unset=True)
    return json.dumps({**keys, "file": local_source(settings.file).location})
