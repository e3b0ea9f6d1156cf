"""One stack of the engine through the Automation API: the only module that imports it, and only when it is used.

No secret is ever in an argument list: the program gets what it needs as values, and nothing is kept as configuration.
"""

from __future__ import annotations

import json
import logging
import os
import sysconfig
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from leptonctl.errors import LeptonError, PreflightFailed
from leptonctl.platforms.pulumi_engine import Engine, EngineCommand, EngineOutput
from leptonctl.platforms.pulumi_failures import Attempt, failure_of
from leptonctl.platforms.pulumi_pending import with_unanswered
from leptonctl.platforms.pulumi_sealing import refuse_other, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from leptonctl.platforms.pulumi_events import Steps
    from leptonctl.platforms.pulumi_locks import Engines
    from leptonctl.platforms.pulumi_sealing import Sealing
    from leptonctl.platforms.pulumi_state import Deployment, States

    Program = Callable[[], None]

EXTRA_HINT = "install leptonctl with its extra: `pip install 'leptonctl[aws]'`"


@dataclass(frozen=True, slots=True)
class StackSettings:
    """How a stack is worked on: the location's region, what seals its secrets, and a folder for the SDK's own files.

    `engines` remembers the processes that take a lock; None where nothing is to be written down.
    """

    region: str
    sealing: Sealing
    work_dir: Path
    engines: Engines | None = None


class PulumiStack:
    """A location's stack. Methods that change something are called one after the other, by one thread."""

    def __init__(self, engine: Engine, states: States, name: str, *, settings: StackSettings) -> None:
        self.name = name
        self._states = states
        self._settings = settings
        self._automation = _automation()
        self._environment = self._variables()
        self.command = _command(engine, settings.engines)
        self._space: Any = None
        self._opened: Any = None

    def exists(self) -> bool:
        """Whether there is a state of it."""
        return self._states.exists(self.name)

    def open(self, program: Program) -> None:
        """Select the stack for this program; make it where it is not there."""
        workspace = self._workspace()
        workspace.program = program
        try:
            self._opened = self._automation.Stack.create_or_select(self.name, workspace)
        except Exception as error:
            raise self._told(error, None, "opening its stack") from error

    def export(self) -> Deployment:
        """The state, with its secrets sealed."""
        found: Deployment = json.loads(self._run("stack", "export", "--stack", self.name).stdout)
        return found

    def replace(self, state: Deployment) -> None:
        """Put another state in place of the one that is there."""
        self._workspace()
        path = self._settings.work_dir / "import.json"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(state, file)
            self._run("stack", "import", "--stack", self.name, "--file", str(path))
        finally:
            path.unlink(missing_ok=True)

    def preview(self, steps: Steps, *, is_refreshed: bool, kept: Sequence[str] = ()) -> None:
        """Tell `steps` what an `up` would do. `is_refreshed` reads the cloud first; nothing is changed in any case."""
        self._do(
            "preview",
            steps,
            lambda: self._opened.preview(on_event=steps, refresh=is_refreshed or None, exclude=list(kept) or None),
        )

    def compare(self, steps: Steps) -> None:
        """Tell `steps` of each resource whether the cloud has it as the state does; the program is not run.

        What differs is what an `up` would change if the program registered what it did the last time.
        """
        self._do("refresh", steps, lambda: self._opened.preview_refresh(on_event=steps, run_program=False))

    def up(self, steps: Steps, *, kept: Sequence[str] = ()) -> None:
        """Read the cloud, then make it so. The resources in `kept` (URNs) stay as they are, also in the state.

        What was asked of the cloud without an answer is kept in the state as unfinished: the engine forgets it.
        """
        try:
            self._do(
                "up",
                steps,
                lambda: self._opened.up(on_event=steps, show_secrets=False, refresh=True, exclude=list(kept) or None),
            )
        finally:
            # Not by `stack import`: that drops what is unfinished.
            if steps.unanswered and (state := self._states.read(self.name)) is not None:
                self._states.write(self.name, with_unanswered(state, steps.unanswered))

    def refresh(self, steps: Steps) -> None:
        """Bring the state to what the cloud has."""
        self._do("refresh", steps, lambda: self._opened.refresh(on_event=steps, show_secrets=False))

    def destroy(self, steps: Steps) -> None:
        """Delete everything that is not protected, in reverse order."""
        self._do(
            "destroy",
            steps,
            lambda: self._opened.destroy(on_event=steps, show_secrets=False, refresh=True, exclude_protected=True),
        )

    def is_empty(self) -> bool:
        """Whether nothing of the cloud is in it."""
        resources = self.export()["deployment"].get("resources") or []
        return not any(one.get("custom") and not one["type"].startswith("pulumi:") for one in resources)

    def remove(self) -> None:
        """Forget the stack; it has nothing in it any more."""
        self._run("stack", "rm", "--yes", "--force", "--stack", self.name)

    def _do(self, what: str, steps: Steps, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:
            raise self._told(error, steps, what) from error

    def _run(self, *words: str) -> EngineOutput:
        try:
            return self.command.run(list(words), str(self._workspace().work_dir), self._environment)
        except Exception as error:
            raise self._told(error, None, " ".join(words[:2])) from error

    def _workspace(self) -> Any:  # noqa: ANN401 - the SDK is imported lazily
        """The folder with the project's and the stack's settings, made when it is first needed."""
        if self._space is None:
            automation, settings = self._automation, self._settings
            settings.work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What seals the state is said by the state. Without it the engine takes a passphrase, also an empty one,
            # and seals everything anew with that: on another machine, where these settings never were, without a word.
            state = self._states.read(self.name)
            how = sealed(state) if state else None
            if state is not None:
                refuse_other(self.name.replace(".", "/", 1), state, settings.sealing)
            self._space = automation.LocalWorkspace(
                work_dir=str(settings.work_dir),
                project_settings=automation.ProjectSettings(
                    name=self._states.project,
                    runtime="python",
                    backend=automation.ProjectBackend(url=self._states.store.url),
                ),
                stack_settings={
                    self.name: automation.StackSettings(
                        secrets_provider=how.provider if how and how.encrypted_key else None,
                        encrypted_key=how.encrypted_key if how else None,
                        encryption_salt=how.salt if how else None,
                    )
                },
                secrets_provider=settings.sealing.provider,
                env_vars=self._environment,
                pulumi_command=self.command,
            )
        return self._space

    def _told(self, error: Exception, steps: Steps | None, what: str) -> LeptonError:
        """The engine's failure in our words."""
        if isinstance(error, LeptonError):
            return error
        attempt = Attempt(
            where=steps.location if steps else self.name,
            what=what,
            sealed_from=self._settings.sealing.source,
            is_interrupted=self.command.is_interrupted,
            told=steps.errors if steps else (),
            unanswered=[one.name for one in steps.unanswered] if steps else (),
        )
        return failure_of(str(error), attempt, self._owners)

    def _owners(self) -> str:
        now = datetime.now(UTC)
        return "; ".join(owner.text(now) for owner in self._states.locks(self.name)) or "another run"

    def _variables(self) -> dict[str, str]:
        # The provider of a cluster's contents starts `leptonctl cluster-token`: this one, wherever it was started from.
        programs = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
        return {
            "PATH": programs,
            "PULUMI_BACKEND_URL": self._states.store.url,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
            "AWS_REGION": self._settings.region,
            **self._settings.sealing.variables,
        }


def _command(engine: Engine, engines: Engines | None) -> EngineCommand:
    from pulumi.automation import errors  # noqa: PLC0415 - only where AWS is used
    from semver import VersionInfo  # noqa: PLC0415 - the same; it is the SDK's own

    def make_error(output: EngineOutput) -> Exception:
        error: Exception = errors.create_command_error(output)  # type: ignore[arg-type]
        return error

    return EngineCommand(engine, version=VersionInfo.parse(engine.version), make_error=make_error, engines=engines)


def _automation() -> ModuleType:
    try:
        from pulumi import automation  # noqa: PLC0415 - a third of a second, only where AWS is used
    except ImportError as missing:
        raise PreflightFailed(f"the library `{missing.name}` is missing", hint=EXTRA_HINT) from missing
    # A program whose engine ends before it is no error of ours, and not worth a traceback on the terminal.
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    return automation
