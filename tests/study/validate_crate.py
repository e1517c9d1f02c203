"""Run by the Python of ``roc-validator``: check a crate without the network, say what is wrong.

Usage: python validate_crate.py FOLDER PROFILE SEVERITY TERMS

TERMS is the context that the library ``rocrate`` brings, of version 1.3, for that of version 1.1;
the context of workflow runs is the one term that grubio takes from it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# What moved between versions 1.1 and 1.3.
BIOSCHEMAS = ("ComputationalWorkflow", "FormalParameter", "input", "output")
RUN_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}


def main(folder: str, profile: str, severity: str, terms: str) -> int:
    """Write a line for each fault; return 1 if there is one."""
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    known = json.loads(Path(terms).read_text())["@context"]
    known |= {term: f"https://bioschemas.org/{term}" for term in BIOSCHEMAS}

    class Context:
        """What a server would answer that has the context of a URL."""

        status_code, ok = 200, True

        def __init__(self, url: str) -> None:
            self.text = json.dumps({"@context": RUN_TERMS if "workflow-run" in url else known})
            self.content = self.text.encode()
            self.headers = {"Content-Type": "application/ld+json"}

        def json(self) -> Any:
            return json.loads(self.text)

    HttpRequester.get = HttpRequester.head = lambda _, url, **options: Context(url)
    result = services.validate(
        services.ValidationSettings(
            rocrate_uri=folder,
            profile_identifier=profile,
            requirement_severity=models.Severity[severity.upper()],
            skip_availability_check=True,
        )
    )
    for issue in result.get_issues():
        entity = issue.violatingEntity
        sys.stdout.write(f"{issue.check.identifier}\t{entity}\t{issue.message}\n")
    return int(result.has_issues())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
