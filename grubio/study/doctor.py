"""What is installed, whether it works, and what it is needed for."""

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_info

from grubio import __version__
from grubio.errors import GrubioError
from grubio.extras import EXTRAS, Extra, pip_install
from grubio.files import sha256_of_file
from grubio.model.bundle import WEIGHTS_FILE, load_metadata
from grubio.model.devices import available_threads, choose_device
from grubio.model.zoo import bundled_models

State = Literal["ok", "missing", "broken"]

_PACKAGE = Path(__file__).parents[1]
_SECONDS_FOR_A_TOOL = 10
_NUMBERS = {"32": "float32", "bf16": "bfloat16", "16": "float16"}
_BLAS_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    name
        What was looked for.
    state
        ``ok``, ``missing``, or ``broken``: found, but unusable.
    found
        Version, place or reason.
    needed_for
        What does not work without it.
    required
        Whether ``grubio predict`` needs it.
    hint
        What to do if it is missing or broken.
    """

    name: str
    state: State
    found: str
    needed_for: str
    required: bool = False
    hint: str = ""


def examine() -> list[Finding]:
    """Return what is installed on this machine, with what ``grubio predict`` needs first."""
    return [
        Finding("grubio", "ok", f"{__version__} in {_PACKAGE}", "everything", True),
        _python(),
        _numpy(),
        *_torch(),
        *(_model(name, folder) for name, folder in bundled_models().items()),
        *(_extra(name, extra) for name, extra in EXTRAS.items()),
        _tool(
            ["mmseqs", "version"],
            "MMseqs2",
            "homologs for profiles, and when a dataset is split (else by k-mers in Python)",
            "apt install mmseqs2",
        ),
        _tool(
            ["mkdssp", "--version"], "DSSP", "labels from PDB and mmCIF files", "apt install dssp"
        ),
        *_slurm(),
        *_other_schedulers(),
        _memory(),
        _disk(),
    ]


def can_predict(findings: list[Finding]) -> bool:
    """Return whether ``grubio predict`` has all that it needs."""
    return all(one.state == "ok" for one in findings if one.required)


def _python() -> Finding:
    state: State = "ok" if sys.version_info >= (3, 11) else "broken"
    found = f"{platform.python_version()} in {sys.prefix}"
    return Finding("Python", state, found, "everything", True, "Python 3.11 or later is needed")


def _numpy() -> Finding:
    own = [one for one in threadpool_info() if "numpy" in one["filepath"]]
    blas = f", {own[0]['internal_api']} for {own[0]['architecture']}" if own else ""
    held = [f"{name}={os.environ[name]}" for name in _BLAS_VARIABLES if name in os.environ]
    slowed = f"; {' '.join(held)} may slow it down, unset it" if held else ""
    use = "labelling on a CPU"
    return Finding("numpy", "ok", f"{np.__version__}{blas}{slowed}", use, True)


def _torch() -> list[Finding]:
    threads = Finding(
        "threads", "ok", str(available_threads()), "speed: what is used without --threads"
    )
    use = "speed: what --device auto takes"
    labelling = "what labels, unless the network has no engine of its own"
    if EXTRAS["torch"].missing():
        return [
            Finding("device", "ok", f"cpu ({platform.machine()})", use),
            threads,
            Finding("labelling", "ok", "numpy, float32", labelling),
        ]
    try:
        import torch

        from grubio.training.precision import precision_for

        device = choose_device("auto")
        precision = _NUMBERS[precision_for("auto", device)]
        name = torch.cuda.get_device_name(device) if device == "cuda" else platform.machine()
    except (ImportError, OSError, RuntimeError) as error:
        hint = "pip install --force-reinstall torch"
        return [Finding("PyTorch", "broken", str(error), EXTRAS["torch"].gives, hint=hint), threads]
    return [
        Finding("PyTorch", "ok", torch.__version__, EXTRAS["torch"].gives),
        Finding("device", "ok", f"{device} ({name})", use),
        threads,
        Finding(
            "labelling",
            "ok",
            "numpy, float32" if device == "cpu" else f"PyTorch on {device}, float32",
            labelling,
        ),
        Finding("training", "ok", f"PyTorch on {device}, products in {precision}", "what trains"),
    ]


def _model(name: str, folder: Path) -> Finding:
    title, use = f"model {name}", "predict with this bundled model"
    hint = "install grubio again"
    try:
        wanted = load_metadata(folder)["weights_sha256"]
        found = sha256_of_file(folder / WEIGHTS_FILE)
    except (GrubioError, OSError, KeyError) as error:
        return Finding(title, "broken", str(error).splitlines()[0], use, True, hint)
    if found != wanted:
        return Finding(title, "broken", f"SHA-256 {found[:12]}..., not as built", use, True, hint)
    return Finding(title, "ok", f"SHA-256 {found[:12]}... as built", use, True)


def _extra(name: str, extra: Extra) -> Finding:
    title = f"extra {name}"
    if missing := extra.missing():
        without = f"without {', '.join(missing)}"
        return Finding(title, "missing", without, extra.gives, hint=pip_install(name))
    return Finding(title, "ok", ", ".join(extra.libraries.values()), extra.gives)


def _tool(command: list[str], name: str, use: str, hint: str) -> Finding:
    place = shutil.which(command[0])
    if place is None:
        return Finding(name, "missing", "", use, hint=hint)
    code, text = _output_of(command)
    first = (text.splitlines() or [""])[0]
    state: State = "ok" if code == 0 else "broken"
    return Finding(name, state, f"{first} ({place})", use, hint=hint)


def _slurm() -> list[Finding]:
    use = "the workflow on a cluster"
    if shutil.which("sbatch") is None:
        return [Finding("SLURM", "missing", "", use, hint="only on a cluster's own machines")]
    code, text = _output_of(["sinfo", "--noheader", "--format", "%P %a %D"])
    lines = text.splitlines() or ["no answer"]
    if code != 0:
        return [Finding("SLURM", "broken", lines[0], use, hint="ask for sinfo on this machine")]
    partitions = ", ".join(line.split()[0] for line in lines if line.split())
    found = [Finding("SLURM", "ok", f"partitions {partitions}", use), _slurm_arrays()]
    code, text = _output_of(["sacct", "--noheader", "--allocations"])
    if code == 0:
        return [*found, Finding("SLURM accounting", "ok", "sacct answers", "querying jobs")]
    off = Finding(
        "SLURM accounting",
        "missing",
        (text.splitlines() or ["sacct does not answer"])[0],
        "querying jobs the default way",
        hint="run Snakemake with --slurm-status-command squeue",
    )
    return [*found, off]


def _slurm_arrays() -> Finding:
    name, use = "SLURM arrays", "many jobs of a rule as one: --profile slurm-arrays"
    size = re.search(r"MaxArraySize\s*=\s*(\d+)", _output_of(["scontrol", "show", "config"])[1])
    # The number of a task is below it, and an array has two at least.
    if size is not None and int(size[1]) > 2:
        return Finding(name, "ok", f"up to {int(size[1]) - 1} tasks", use)
    return Finding(name, "missing", size[0] if size else "", use, hint="take --profile slurm")


def _other_schedulers() -> list[Finding]:
    # Those that are here: a machine has one at most, and none is missed.
    use = "the workflow on a cluster"
    found = []
    for command, name, profile, ask in (
        ("bsub", "LSF", "lsf", ["lsid"]),
        ("qconf", "SGE", "sge", ["qconf", "-sh"]),
        ("pbsnodes", "PBS", "pbs", ["qstat", "--version"]),
        ("condor_submit", "HTCondor", "htcondor", ["condor_version"]),
        ("kubectl", "Kubernetes", "kubernetes", ["kubectl", "version"]),
    ):
        if shutil.which(command) is None:
            continue
        code, text = _output_of(ask)
        first = (text.splitlines() or ["no answer"])[0]
        hint = f"ask for {ask[0]} on this machine"
        state: State = "ok" if code == 0 else "broken"
        found.append(Finding(name, state, f"{first}; --profile {profile}", use, hint=hint))
    return found


def _memory() -> Finding:
    use = "training, and long sequences"
    try:
        size = os.sysconf("SC_PAGE_SIZE")
        whole, free = (size * os.sysconf(f"SC_{key}_PAGES") for key in ("PHYS", "AVPHYS"))
    except (AttributeError, OSError, ValueError):
        return Finding("memory", "missing", "unknown on this system", use)
    return Finding("memory", "ok", f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB free", use)


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    state: State = "ok" if free > 1e9 else "broken"
    use = "results and datasets in this folder"
    return Finding("disk", state, f"{free / 1e9:.1f} GB free here", use, hint="free some space")


def _output_of(command: list[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS_FOR_A_TOOL, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, f"no answer within {_SECONDS_FOR_A_TOOL} s"
    except OSError as error:
        return 126, str(error)
    return done.returncode, (done.stdout.strip() or done.stderr.strip())
