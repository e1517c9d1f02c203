"""Snakemake with a stand-in for the server of Kubernetes: it notes what is asked and runs it.

``python fake_kubernetes.py FOLDER ...``: FOLDER gets ``asked.jsonl`` and, for each job, a folder of
its own, as a pod has; the other words are Snakemake's. The objects of the client are real.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client import ApiClient, BatchV1Api, CoreV1Api, V1Job, V1JobStatus, V1PodList
from snakemake.cli import main

FOLDER = Path(sys.argv.pop(1))
STARTED: dict[str, subprocess.Popen[bytes]] = {}
SECRETS: dict[str, str] = {}


def take_secret(self: CoreV1Api, namespace: str, secret: Any) -> None:
    SECRETS.update(secret.data)


def start_job(self: BatchV1Api, namespace: str, body: V1Job) -> V1Job:
    asked = ApiClient().sanitize_for_serialization(body)
    (container,) = asked["spec"]["template"]["spec"]["containers"]
    requests, limits = (container["resources"].get(key, {}) for key in ("requests", "limits"))
    # The server refuses a request of a GPU without a limit.
    for name in requests:
        assert "/" not in name or limits.get(name) == requests[name], f"no limit of {name}"
    with open(FOLDER / "asked.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"namespace": namespace, "image": container["image"]} | asked) + "\n")
    name = asked["metadata"]["name"]
    (FOLDER / name).mkdir()
    secret = {
        entry["name"]: base64.b64decode(SECRETS[entry["valueFrom"]["secretKeyRef"]["key"]]).decode()
        for entry in container.get("env", [])
    }
    with open(FOLDER / f"{name}.log", "wb") as log:
        STARTED[name] = subprocess.Popen(
            [*container["command"], *container["args"]],
            cwd=FOLDER / name,
            env={**os.environ, **secret},
            stdout=log,
            stderr=log,
        )
    return body


def status_of(self: BatchV1Api, name: str, namespace: str) -> V1Job:
    code = STARTED[name].poll()
    counts = {} if code is None else {"succeeded" if code == 0 else "failed": 1}
    return V1Job(status=V1JobStatus(**counts))


kubernetes.config.load_kube_config = lambda: None
CoreV1Api.create_namespaced_secret = take_secret
CoreV1Api.delete_namespaced_secret = lambda *given, **words: None
CoreV1Api.list_namespaced_pod = lambda *given, **words: V1PodList(items=[])
BatchV1Api.create_namespaced_job = start_job
BatchV1Api.read_namespaced_job_status = status_of
BatchV1Api.delete_namespaced_job = lambda *given, **words: None

main()
