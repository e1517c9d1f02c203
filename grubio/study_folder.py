"""The former place of ``workflow_file``, which the Snakefiles of older studies import."""

import warnings

from grubio.study.folder import workflow_file

__all__ = ["workflow_file"]

warnings.warn(
    "grubio.study_folder is read for one more version; in your Snakefile, write "
    "`from grubio.study.folder import workflow_file`",
    FutureWarning,
    stacklevel=2,
)
