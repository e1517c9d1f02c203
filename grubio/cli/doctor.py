"""``grubio doctor``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Check what is installed and what it is needed for.

    Exit code 0 if grubio predict can work, 2 if not.

    Example: grubio doctor

    Example: grubio doctor --json
    """
    from grubio.study.doctor import can_predict, examine

    findings = examine()
    works = can_predict(findings)
    if as_json:
        rows = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"can_predict": works, "findings": rows}, indent=2))
    else:
        width = max(len(finding.name) for finding in findings)
        for one in findings:
            typer.echo(f"{one.state:<8}{one.name:<{width}}  {one.found or '-'}")
            typer.echo(f"{'':<{10 + width}}for {one.needed_for}")
            if one.state != "ok":
                typer.echo(f"{'':<{10 + width}}hint: {one.hint}")
        typer.echo("grubio predict works" if works else "grubio predict does not work")
    raise typer.Exit(0 if works else 2)
