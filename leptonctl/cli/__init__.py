"""The command line. `run` is the one boundary that turns whatever happens into an exit code."""

from __future__ import annotations

import os
import sys
from itertools import pairwise

import click

from leptonctl.cli import asking, authoring, clusters, drills, publishing, running, state
from leptonctl.cli.group import cli
from leptonctl.errors import ExitCode, Interrupted, LeptonError, UsageProblem

__all__ = ["asking", "authoring", "cli", "clusters", "drills", "publishing", "run", "running", "state"]


def run(arguments: list[str]) -> int:  # noqa: PLR0911 - one return a way to end
    """Run the command line and give its exit code."""
    try:
        code = cli.main(args=arguments, prog_name="leptonctl", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        if _is_json(arguments):
            return _fail(arguments, UsageProblem(error.format_message()))
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        return _fail(arguments, Interrupted("interrupted; `up` again goes on from here"))
    except LeptonError as error:
        return _fail(arguments, error)
    except BrokenPipeError:
        # The reader of our output went away (`leptonctl plan | head`): nothing is wrong, and nothing can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - the boundary: an unexpected error is ours, and says so in one line
        return _fail(arguments, _bug(error))
    return code if isinstance(code, int) else ExitCode.DONE


def _fail(arguments: list[str], error: LeptonError) -> int:
    from leptonctl.render import render_error
    from leptonctl.talk import settle

    settle()
    verb = next((argument for argument in arguments if argument in cli.commands), "leptonctl")
    output = "sarif" if "sarif" in arguments else "json" if _is_json(arguments) else "text"
    render_error(verb, error, output)
    return int(error.exit_code)


def _is_json(arguments: list[str]) -> bool:
    wanted = {"--output=json", "-ojson"} & set(arguments)
    pairs = pairwise(arguments)
    return (
        bool(wanted)
        or any(first in {"-o", "--output"} and second == "json" for first, second in pairs)
        or os.environ.get("LEPTONCTL_OUTPUT") == "json"
    )


def _bug(error: Exception) -> LeptonError:
    """Keep the traceback in a file of its own and say where it is."""
    import tempfile
    import traceback

    try:
        descriptor, name = tempfile.mkstemp(prefix="leptonctl-bug-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
        place = f"the traceback is in {name}; please report it"
    except OSError:
        place = "and the traceback could not be written to disk"
    return LeptonError(f"this is a bug in leptonctl: {type(error).__name__}: {error}", hint=place)
