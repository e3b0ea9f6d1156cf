"""Plain words: both readers agree on every one, and old meanings are explained."""

from __future__ import annotations

import itertools

import pytest

from leptonctl.sitefile.scalars import old_meaning, read_scalar
from leptonctl.sitefile.source import read_quickly

WORDS = [
    *(
        "",
        "~",
        "null",
        "Null",
        "NULL",
        "nil",
        "true",
        "True",
        "TRUE",
        "tRUE",
        "false",
        "False",
        "FALSE",
        "y",
        "no",
        "on",
    ),
    *("0", "-0", "+0", "00", "7", "+7", "-7", "010", "-010", "08", "1_000", "1,000", "1:20", "190:20:30", "12e03"),
    *(
        "0x1F",
        "0X1F",
        "-0x1F",
        "+0x1f",
        "0xG",
        "0x",
        "0o17",
        "0o8",
        "0b101",
        "0b2",
        "0b",
        "1.",
        ".5",
        "-.5",
        "+.5",
        ".",
    ),
    *(
        "1.5",
        "01.5",
        "-01.5",
        "01e2",
        "00.",
        "-00",
        "1.5.",
        "1e3",
        "1E3",
        "1e",
        "e3",
        "1.e3",
        "1e+3",
        "1e-3",
        ".1e2",
        "1e400",
        "-1e400",
        "1e-400",
    ),
    *(
        ".inf",
        "-.inf",
        "+.inf",
        ".Inf",
        ".INF",
        ".iNF",
        ".nan",
        ".NaN",
        ".NAN",
        "-.nan",
        "inf",
        "nan",
        "Infinity",
        "NaN",
    ),
    *("2024-01-01", "18446744073709551615", "9223372036854775808", "-9223372036854775808", "=", "<<", "-1_0", "1 2"),
    *(
        "0x-1",
        "--1",
        "+-1",
        "0.0",
        "-0.0",
        "1.0",
        "100.",
        "0e0",
        "1e5.5",
        "0_1",
        "+",
        "++1",
        "+.",
        "0o",
        "-0b1",
        "+0o7",
    ),
]


@pytest.mark.parametrize("word", WORDS)
def test_both_readers_give_a_word_the_same_meaning(word: str) -> None:
    quick = read_quickly(f"a: {word}")
    assert quick is not None
    assert isinstance(quick.data, dict)
    assert repr(read_scalar(word)) == repr(quick.data["a"])


def test_both_readers_give_short_words_the_same_meaning() -> None:
    words = ["".join(letters) for letters in itertools.product("0179+-.exob_n", repeat=3)]
    words = [word for word in words if not word.startswith(("- ", "-."))]
    quick = read_quickly("".join(f"- {word}\n" for word in words))
    assert quick is not None
    assert isinstance(quick.data, list)
    differing = [
        (word, data) for word, data in zip(words, quick.data, strict=True) if repr(data) != repr(read_scalar(word))
    ]
    assert differing == []


def test_a_number_of_a_million_digits_is_text() -> None:
    assert read_scalar("9" * 1_000_000) == "9" * 1_000_000


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("yes", "in YAML 1.2 a plain yes is text; write true"),
        ("OFF", "in YAML 1.2 a plain OFF is text; write false"),
        ("010", "a number does not start with 0; write 10, or 8 if 010 was meant as octal"),
        ("-017", "a number does not start with 0; write -17, or -15 if -017 was meant as octal"),
        ("1:20", "numbers are not counted in sixties; write the number that is meant"),
        ("1_000", "write the number without separators: 1000"),
        ("1,000,000", "write the number without separators: 1000000"),
        ("three", None),
        ("08", None),
        ("9" * 400, None),
    ],
)
def test_what_yaml_1_1_would_have_read_is_explained(word: str, expected: str | None) -> None:
    assert old_meaning(word) == expected
