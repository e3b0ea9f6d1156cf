"""The picture of the design page, held: imports go one way, and every outside library has its owner."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "leptonctl"

# From the bottom up. A part imports itself and what stands in the rows above it here, never its neighbour in a row.
# "the verbs" are `workflow.py`, the modules beside it, and the folders of their stages and of what they answer with.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "progress", "assets"}),
    frozenset({"health", "devices"}),
    frozenset({"sitefile"}),
    frozenset({"planning"}),
    frozenset({"hosts", "record", "catalog"}),
    frozenset({"platforms"}),
    frozenset({"the verbs"}),
    frozenset({"render"}),
    frozenset({"talk"}),
    frozenset({"cli"}),
)
OF_THE_VERBS = ("stages", "summaries")

# Modules, or packages, that may import the library. `pulumi_*` are the SDKs of the clouds.
OWNERS: dict[str, tuple[str, ...]] = {
    "click": ("leptonctl/cli.py", "leptonctl/cli/"),
    "rich": ("leptonctl/render.py", "leptonctl/render/", "leptonctl/talk.py"),
    "yaml": ("leptonctl/sitefile/source.py",),
    "ryaml": ("leptonctl/sitefile/source.py",),
    "pydantic": ("leptonctl/sitefile/", "leptonctl/result.py"),
    "pydantic_core": ("leptonctl/sitefile/",),
    "ansible_runner": ("leptonctl/hosts/configure.py",),
    "asyncssh": ("leptonctl/hosts/ssh.py",),
    "filelock": ("leptonctl/record/lock.py",),
    # One drives a stack, the other has the SDK fetch the engine that it drives them with.
    "pulumi.automation": ("leptonctl/platforms/pulumi.py", "leptonctl/platforms/pulumi_install.py"),
    "semver": ("leptonctl/platforms/pulumi.py", "leptonctl/platforms/pulumi_install.py"),
    # Besides what is asked of AWS: a token is signed, and nothing is asked.
    "boto3": ("leptonctl/platforms/aws_cloud.py", "leptonctl/platforms/aws_token.py"),
    "botocore": ("leptonctl/platforms/aws_cloud.py", "leptonctl/platforms/aws_token.py"),
    "cryptography": ("leptonctl/platforms/key_sealing.py",),
    "pulumi": ("stacks/",),
    "pulumi_aws": ("stacks/",),
    "pulumi_kubernetes": ("stacks/",),
}
# Who may start other programs, here on the operator's machine.
PROGRAM_STARTERS = (
    "leptonctl/doctor.py",
    "leptonctl/platforms/podman.py",
    "leptonctl/platforms/image.py",
    "leptonctl/platforms/pulumi_engine.py",
    # Only for the error that the SDK's installer ends with.
    "leptonctl/platforms/pulumi_install.py",
    "leptonctl/platforms/local_keys.py",
    "leptonctl/hosts/secrets.py",
    "leptonctl/hosts/signing.py",
    "leptonctl/questions.py",
)
# Programs of their own, started by their path, here or on a host: they print, exit, and need only what Python brings.
PROGRAMS = sorted(
    [*(PACKAGE / "hosts" / "remote").rglob("*.py"), PACKAGE / "hosts" / "leash.py", PACKAGE / "hosts" / "pulled.py"]
)

# What else comes to a host with a program: `hosts.collector` puts the judging modules, which are pure, into that one;
# `hosts.published` puts the whole package beside the other.
SENT_WITH = {"collector.py": ("leptonctl.health.",), "pulled.py": ("leptonctl.hosts.",)}

LINES_AT_MOST = 350
NOT_FOR_HELP = {
    "ansible", "ansible_runner", "asyncssh", "cryptography", "filelock", "jinja2", "pulumi", "pydantic", "rich",
    "ryaml", "yaml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    line: int


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, also those inside functions and those for type checking only."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (Import(name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by full name"
            yield from (Import(f"{node.module}.{name.name}", node.lineno) for name in node.names)


def sources(*, folders: tuple[str, ...] = ("leptonctl", "stacks")) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def own_sources() -> list[Path]:
    """The package without the programs of their own."""
    return [path for path in sources(folders=("leptonctl",)) if path not in PROGRAMS]


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part(module: str) -> str | None:
    """`leptonctl.hosts.probe` is of the part `hosts`; None for `leptonctl` itself."""
    names = module.split(".")
    if len(names) == 1 or names[1].startswith("__"):
        return None
    is_package = (PACKAGE / names[1]).is_dir() and names[1] not in OF_THE_VERBS
    return names[1] if is_package or names[1] in frozenset().union(*LAYERS) else "the verbs"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def height(of_part: str) -> int:
    """The row of a part, from 0; one that has no place yet (another test says so) counts as the top."""
    return next((row for row, parts in enumerate(LAYERS) if of_part in parts), len(LAYERS))


def test_every_part_has_its_place_in_the_layers() -> None:
    known = frozenset().union(*LAYERS)
    assert {part(module_name(path)) for path in own_sources()} - known - {None} == set()


def test_imports_go_one_way() -> None:
    wrong = []
    for path in own_sources():
        own = part(module_name(path))
        for found in imports(path):
            other = part(found.module) if found.module.startswith("leptonctl.") else None
            if own and other and other != own and height(other) >= height(own):
                wrong.append(f"{place(path)}:{found.line}: {own} must not import {found.module}")
    assert wrong == []


def test_no_module_imports_itself_through_others() -> None:
    names = {module_name(path) for path in own_sources()}
    graph: dict[str, set[str]] = {}
    for path in own_sources():
        # `from leptonctl.errors import Problem` is an import of leptonctl.errors.
        wanted = {found.module for found in imports(path)}
        wanted |= {name.rpartition(".")[0] for name in wanted}
        graph[module_name(path)] = (wanted & names) - {module_name(path), "leptonctl"}
    TopologicalSorter(graph).prepare()


def test_every_outside_library_is_imported_by_its_owner_only() -> None:
    wrong = []
    for path in sources():
        for found in imports(path):
            library = found.module.split(".")[0]
            if found.module.startswith("pulumi.automation"):
                library = "pulumi.automation"
            if library in sys.stdlib_module_names or library in {"leptonctl", "stacks"}:
                continue
            if not place(path).startswith(OWNERS.get(library, ())):
                wrong.append(f"{place(path)}:{found.line}: {library} belongs to {OWNERS.get(library, 'nobody')}")
    assert wrong == []


def test_only_a_few_modules_start_other_programs() -> None:
    starters = {
        place(path)
        for path in own_sources()
        for found in imports(path)
        if found.module.split(".")[0] == "subprocess" or found.module == "asyncio.subprocess"
    }
    assert starters - set(PROGRAM_STARTERS) == set()


def test_a_program_of_its_own_needs_only_what_python_brings() -> None:
    outside = {
        f"{place(path)}:{found.line}: {found.module}"
        for path in PROGRAMS
        for found in imports(path)
        if found.module.split(".")[0] not in sys.stdlib_module_names
        and not found.module.startswith(("leptonctl.hosts.remote.", *SENT_WITH.get(path.name, ())))
    }
    assert outside == set()


def test_planning_reads_no_file_no_clock_and_no_network() -> None:
    effects = {
        "asyncio", "io", "os", "random", "requests", "secrets", "shutil", "socket", "subprocess", "tempfile", "time",
        "urllib", "uuid",
    }  # fmt: skip
    calls = {
        "now",
        "utcnow",
        "today",
        "open",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "exists",
        "input",
    }
    wrong = []
    for path in (PACKAGE / "planning").glob("*.py"):
        wrong += [f"{place(path)}:{i.line}: {i.module}" for i in imports(path) if i.module.split(".")[0] in effects]
        wrong += [f"{place(path)}:{line}: {name}()" for name, line in called(path) if name.split(".")[-1] in calls]
    assert wrong == []


def test_nothing_below_cli_and_render_prints_or_exits() -> None:
    forbidden = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "SystemExit"}
    wrong = [
        f"{place(path)}:{line}: {name}"
        for path in own_sources()
        if part(module_name(path)) not in {"cli", "render", "talk"} and path.name != "__main__.py"
        for name, line in called(path)
        if name in forbidden
    ]
    assert wrong == []


def called(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


@pytest.mark.parametrize("path", sources(folders=("leptonctl", "stacks", "scripts", "benchmarks")), ids=place)
def test_a_module_says_what_it_does_and_stays_small(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "no docstring"
    assert len(path.read_text().splitlines()) <= LINES_AT_MOST


def test_help_imports_no_library_that_it_does_not_need() -> None:
    program = (
        "import json, sys\n"
        "from leptonctl.__main__ import main\n"
        "sys.argv = ['leptonctl', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "json.dump(sorted(sys.modules), sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "validate" in done.stdout
    loaded = {name.split(".")[0] for name in json.loads(done.stderr)}
    assert loaded & NOT_FOR_HELP == set()
