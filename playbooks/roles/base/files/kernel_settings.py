#!/usr/bin/python3
# Managed by leptonctl: the next run puts this file back.
"""Compares the running kernel with a sysctl file and, with --apply, sets what differs.

Prints a line for each difference, then `in order` where nothing is left. A line that starts with `-` may be missing
from this kernel or closed to this host (a container); another may not. A file that is read after this one at the next
start may not put another value in its place: --apply makes those lines comments.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

SETTINGS = Path("/etc/sysctl.d/60-leptonctl.conf")
ROOT = Path("/proc/sys")
# In order of precedence: a file hides those of the same name in later folders.
FOLDERS = [Path(name, "sysctl.d") for name in ("/etc", "/run", "/usr/local/lib", "/usr/lib")]
TAKEN_OUT = "# Taken out by leptonctl: "


def settings_in(text: str) -> Iterator[tuple[int, str, str, bool]]:
    """Each setting of a sysctl file as (the number of its line, key, value, whether it may be missing)."""
    for number, line in enumerate(text.splitlines()):
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith(("#", ";")):
            yield number, key.strip().removeprefix("-"), " ".join(value.split()), key.startswith("-")


def path_of(key: str) -> Path:
    """Where the kernel shows a setting: a key that starts with words and slashes has dots that are names."""
    return ROOT / (key if "/" in key.partition(".")[0] else key.replace(".", "/"))


def is_settable(path: Path) -> bool:
    """Whether the kernel lets this process set it. Opening asks; nothing is written."""
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return bool(path.stat().st_mode & 0o222)


def value_of(path: Path) -> str:
    """What is in force, with single spaces between its parts."""
    return " ".join(path.read_text(encoding="utf-8").split())


def later_files() -> list[Path]:
    """The files that are read after ours at the start of the host."""
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        for path in folder.glob("*.conf"):
            found.setdefault(path.name, path)
    return [path for name, path in sorted(found.items()) if name > SETTINGS.name and path.is_file()]


def overriding(wanted: list[tuple[str, str, bool]]) -> Iterator[tuple[Path, int, str, str]]:
    """Lines of other files that put another value in the place of ours, as (file, number of the line, key, value)."""
    ours = {path_of(key): value for key, value, _ in wanted}
    for path in later_files():
        for number, key, value, _ in settings_in(path.read_text(encoding="utf-8", errors="replace")):
            if ours.get(path_of(key), value) != value:
                yield path, number, key, value


def take_out(path: Path, number: int) -> None:
    """Make a line a comment. A packed file stays as it is: one of its name in /etc stands in its place."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    lines[number] = TAKEN_OUT + lines[number]
    place = path.resolve() if path.parent == FOLDERS[0] else FOLDERS[0] / path.name
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")


def mend_files(wanted: list[tuple[str, str, bool]], mode: str) -> bool:
    """Tell which lines would be put over ours at the next start, or take them out; return whether any is left."""
    while found := next(overriding(wanted), None):
        path, number, key, value = found
        if mode == "--check":
            for other, _, its_key, its_value in overriding(wanted):
                print(f"{its_key}: {other} puts {its_value} in its place at the next start")
            return True
        take_out(path, number)
        print(f"{key}: {value} in {path} -> taken out")
    return False


def mend_kernel(wanted: list[tuple[str, str, bool]], mode: str) -> bool:
    """Tell which settings are not in force, or set them; return whether any is left."""
    failed = False
    for key, value, is_optional in wanted:
        path = path_of(key)
        if not is_settable(path):
            if mode == "--apply" or not is_optional:
                print(f"{key}: cannot be set on this host")
            failed |= not is_optional
            continue
        before = value_of(path)
        if before == value:
            continue
        if mode == "--check":
            print(f"{key}: is {before}, should be {value}")
            failed = True
            continue
        try:
            path.write_text(value, encoding="utf-8")
        except OSError as refusal:
            print(f"{key}: the kernel refuses {value}: {refusal.strerror}")
            failed = True
            continue
        after = value_of(path)
        print(f"{key}: {before} -> {after}")
        if after != value:
            print(f"{key}: the kernel keeps {after}, should be {value}")
            failed = True
    return failed


def main(mode: str) -> int:
    """Go through the settings; return the exit status: 0 in order, 1 not."""
    try:
        text = SETTINGS.read_text(encoding="utf-8")
        wanted = [(key, value, is_optional) for _, key, value, is_optional in settings_in(text)]
        failed = [mend_files(wanted, mode), mend_kernel(wanted, mode)]
    except OSError as error:
        print(f"{error.filename}: {error.strerror}")
        return 1
    if not any(failed):
        print("in order")
    return int(any(failed))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--apply" | "--check" as asked]:
            sys.exit(main(asked))
        case ["--apply" | "--check" as asked, file]:
            SETTINGS = Path(file)
            sys.exit(main(asked))
        case _:
            sys.exit("usage: kernel_settings --apply|--check [FILE]")
