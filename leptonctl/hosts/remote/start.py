"""The first lines that run on a host: makes the modules that came with them importable, and starts the program."""

import base64
import json
import sys
import types
import zlib

PACKAGE = "leptonctl.hosts.remote"


def start(modules: str, request: str) -> None:
    """Run the program: `modules` are names with sources in order of need (JSON, zlib, base64), `request` is JSON."""
    names = PACKAGE.split(".")
    for count in range(1, len(names) + 1):
        package = types.ModuleType(".".join(names[:count]))
        package.__path__ = []
        sys.modules[package.__name__] = package
    last = ""
    for name, source in json.loads(zlib.decompress(base64.b64decode(modules))):
        last = PACKAGE + "." + name
        module = types.ModuleType(last)
        sys.modules[last] = module
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)  # noqa: S102 - our own modules, over our own SSH
    sys.exit(sys.modules[last].main(json.loads(request)))
