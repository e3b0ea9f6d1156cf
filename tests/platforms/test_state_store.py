"""Both stores of states hold the same: each test runs on a folder, and on a bucket as moto plays it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from leptonctl.errors import PreflightFailed
from leptonctl.platforms.aws_bucket import BucketStore
from leptonctl.platforms.aws_cloud import AwsCloud
from leptonctl.platforms.state_store import FolderStore, Store

if TYPE_CHECKING:
    from pathlib import Path

REGION = "eu-central-1"
BUCKET = "example-state"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "pulumi")
    request.getfixturevalue("ec2")
    return bucket()


def bucket(prefix: str = "teams/vision/") -> BucketStore:
    where: Any = {"LocationConstraint": REGION}
    boto3.client("s3", region_name=REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return BucketStore(AwsCloud(REGION), BUCKET, prefix)


def test_what_was_written_is_read_and_what_is_not_there_is_none(store: Store) -> None:
    assert store.read("a/b.json") is None
    store.write("a/b.json", b"one")
    store.write("a/b.json", b"two")
    assert store.read("a/b.json") == b"two"
    store.remove("a/b.json")
    store.remove("a/b.json")
    assert store.read("a/b.json") is None


def test_a_list_has_what_begins_with_the_prefix_by_key(store: Store) -> None:
    assert store.listed("a/") == ()
    for key in ("a/c/d.json", "a/b.json", "ab.json", "a/bc.json"):
        store.write(key, key.encode())
    assert [one.key for one in store.listed("a/")] == ["a/b.json", "a/bc.json", "a/c/d.json"]
    assert [(one.key, one.size_bytes) for one in store.listed("a/bc")] == [("a/bc.json", 9)]
    assert abs((datetime.now(UTC) - store.listed("ab")[0].modified).total_seconds()) < 60


def test_a_folder_is_for_its_owner_only_and_made_when_something_is_written(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "pulumi")
    store.read("a/b")
    store.listed("a/")
    assert not store.folder.exists()
    store.write("a/b", b"x")
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert (store.folder / "a/b").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (store.folder / "a").iterdir()] == ["b"]


@pytest.mark.usefixtures("ec2")
def test_a_bucket_is_listed_page_after_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leptonctl.platforms.aws_bucket.PAGE", 2)
    store = bucket("")
    for number in range(5):
        store.write(f"many/{number}", b"")
    assert [one.key for one in store.listed("many/")] == [f"many/{number}" for number in range(5)]


@pytest.mark.usefixtures("ec2")
def test_places_and_addresses_are_those_of_the_engine(tmp_path: Path) -> None:
    deep, top = bucket(), BucketStore(AwsCloud(REGION), BUCKET, "")
    assert (deep.url, top.url) == (
        f"s3://{BUCKET}/teams/vision?region={REGION}",
        f"s3://{BUCKET}?region={REGION}",
    )
    assert deep.place("a/b") == f"s3://{BUCKET}/teams/vision/a/b"
    assert FolderStore(tmp_path).url == f"file://{tmp_path}"


@pytest.mark.usefixtures("ec2")
def test_a_bucket_that_is_not_there_is_told_with_the_command_that_makes_it() -> None:
    store = BucketStore(AwsCloud(REGION), "nowhere", "")
    for call in (lambda: store.listed(""), lambda: store.read("a"), lambda: store.write("a", b"")):
        with pytest.raises(PreflightFailed) as caught:
            call()
        assert caught.value.message == "the state's bucket nowhere does not exist"
        assert caught.value.hint == "`leptonctl state init SITE` makes it"
