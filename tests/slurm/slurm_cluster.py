"""A real SLURM on this machine: munged, slurmctld and two slurmd, in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
NODES = ("left", "right")
CPUS = 2
_SECONDS_TO_START = 30.0

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
GresTypes=gpu
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
MinJobAge=300
KillWait=5
InactiveLimit=0
TaskProlog={folder}/prolog
NodeName=DEFAULT CPUs={cpus} RealMemory=16000
NodeName={nodes[0]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]}
NodeName={nodes[1]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} Gres=gpu:1
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def reason_to_skip() -> str | None:
    """Return why no SLURM can be started here, or None."""
    missing = [program for program in NEEDED if program_path(program) is None]
    if missing:
        return f"SLURM is not installed (apt install slurm-wlm munge): no {', '.join(missing)}"
    if os.geteuid() != 0:
        return "SLURM's daemons are started as root here"
    return None


def program_path(program: str) -> str | None:
    """Return where a program is; Debian keeps daemons out of the path of ordinary users."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@dataclass
class SlurmCluster:
    """Daemons that were started, and what to ask them.

    Attributes
    ----------
    folder
        Configuration, logs, state.
    environment
        Variables that make SLURM's commands talk to this cluster.
    """

    folder: Path
    environment: dict[str, str]
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def ask(self, *command: str) -> str:
        """Return what a SLURM command prints."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return id, state and comment (the rule and its wildcards) of every job known."""
        lines = self.ask("squeue", "--all", "--states=all", "--noheader", "--format=%i|%T|%k|%N")
        names = ("id", "state", "comment", "node")
        return [dict(zip(names, line.split("|"), strict=True)) for line in lines.splitlines()]

    def logs(self) -> str:
        """Return the ends of the daemons' logs."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in paths)


@contextlib.contextmanager
def slurm_cluster(folder: Path) -> Iterator[SlurmCluster]:
    """Start SLURM in a folder and stop all of it afterwards.

    Raises
    ------
    RuntimeError
        If a daemon does not come up, with the ends of the logs.
    """
    host = socket.gethostname().split(".")[0]
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(
            host=host, folder=folder, ports=_free_ports(3), nodes=NODES, cpus=CPUS
        )
    )
    # SLURM 22.05 has no 'disabled' here, and slurmd does not start without a plugin.
    v1 = Path("/sys/fs/cgroup/freezer").is_dir()
    (folder / "cgroup.conf").write_text(f"CgroupPlugin=cgroup/v{1 if v1 else 2}\n")
    (folder / "scratch").mkdir()
    _write_program(folder / "prolog", f"echo export SLURM_TMPDIR={folder}/scratch")
    # A card that takes its place in the schedule and cannot compute.
    os.mknod(folder / "card", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    (folder / "gres.conf").write_text(f"NodeName={NODES[1]} Name=gpu File={folder}/card\n")
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o400)
    (folder / "state").mkdir()
    for node in NODES:
        (folder / f"spool.{node}").mkdir()
    configuration = folder / "slurm.conf"
    _keep_configuration_for_srun(folder / "bin", configuration)
    environment = {"SLURM_CONF": str(configuration), "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    cluster = SlurmCluster(folder, {**os.environ, **environment})
    try:
        _start(
            cluster,
            *("munged", "--foreground", "--force", f"--key-file={folder}/munge.key"),
            *(f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid"),
            *(f"--log-file={folder}/munged.log", f"--seed-file={folder}/munge.seed"),
        )
        _wait(cluster, "munged", lambda: (folder / "munge.socket").exists())
        _start(cluster, "slurmctld", "-D", "-c")
        for node in NODES:
            _start(cluster, "slurmd", "-D", "-N", node)
        _wait(cluster, "the nodes", lambda: _nodes_are_idle(cluster))
        yield cluster
    finally:
        _stop(cluster)


def _keep_configuration_for_srun(folder: Path, configuration: Path) -> None:
    # Snakemake's plugin takes SLURM_CONF away before it calls srun inside a job.
    folder.mkdir()
    _write_program(folder / "srun", f'SLURM_CONF={configuration} exec {program_path("srun")} "$@"')


def _write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _start(cluster: SlurmCluster, program: str, *arguments: str) -> None:
    path = program_path(program)
    assert path is not None
    with open(cluster.folder / f"{program}.output", "ab") as output:
        cluster.daemons.append(
            subprocess.Popen(
                [path, *arguments],
                env=cluster.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        )


def _stop(cluster: SlurmCluster) -> None:
    with contextlib.suppress(subprocess.SubprocessError):
        cluster.ask("scancel", "--user=root", "--signal=KILL")
        cluster.ask("scancel", "--user=root")
    for daemon in reversed(cluster.daemons):
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _wait(cluster: SlurmCluster, what: str, ready: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while not ready():
        dead = [daemon for daemon in cluster.daemons if daemon.poll() is not None]
        if dead or time.monotonic() > end:
            raise RuntimeError(f"SLURM: {what} did not come up\n{cluster.logs()}")
        time.sleep(0.2)


def _nodes_are_idle(cluster: SlurmCluster) -> bool:
    try:
        states = cluster.ask("sinfo", "--Node", "--noheader", "--format=%T").split()
    except subprocess.SubprocessError:
        return False
    return states == ["idle"] * len(NODES)


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for free in sockets:
            free.bind(("", 0))
        return [free.getsockname()[1] for free in sockets]
