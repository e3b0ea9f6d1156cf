"""The first lines that run on a host: makes the modules that came with them importable, and starts the program."""

import json
import sys
import types

PACKAGE = "leptonctl.hosts.remote"


def start(text: str) -> None:
    """Run the program of `text`, a JSON object with `modules` and `request`.

    The modules are name and source, in order of need: the last one's `main` is the program.
    """
    program = json.loads(text)
    names = PACKAGE.split(".")
    for count in range(1, len(names) + 1):
        package = types.ModuleType(".".join(names[:count]))
        package.__path__ = []
        sys.modules[package.__name__] = package
    for name, source in program["modules"]:
        module = types.ModuleType(PACKAGE + "." + name)
        sys.modules[module.__name__] = module
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)  # noqa: S102 - our own modules, over our own SSH
    sys.exit(module.main(program["request"]))
