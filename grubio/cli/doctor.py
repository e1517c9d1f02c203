"""``grubio doctor``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Check what is installed and what it is needed for.

    The last table is how fast this machine multiplies matrices, the limit of every speed.

    Exit code 0 if grubio predict can work, 2 if not.

    Example: grubio doctor

    Example: grubio doctor --json
    """
    from grubio.study.doctor import can_predict, examine
    from grubio.study.matrix_rates import matrix_rates, table_of_rates

    findings = examine()
    works = can_predict(findings)
    rates = matrix_rates()
    if as_json:
        rows = [asdict(finding) for finding in findings]
        measured = [rate._asdict() for rate in rates]
        told = {"can_predict": works, "findings": rows, "matrix_rates": measured}
        typer.echo(json.dumps(told, indent=2))
    else:
        width = max(len(finding.name) for finding in findings)
        for one in findings:
            typer.echo(f"{one.state:<8}{one.name:<{width}}  {one.found or '-'}")
            typer.echo(f"{'':<{10 + width}}for {one.needed_for}")
            if one.state != "ok":
                typer.echo(f"{'':<{10 + width}}hint: {one.hint}")
        typer.echo("\n".join(["", *table_of_rates(rates), ""]))
        typer.echo("grubio predict works" if works else "grubio predict does not work")
    raise typer.Exit(0 if works else 2)
