"""An object store on a real local host, asked over S3 from outside by boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.local_site import Site

pytestmark = [pytest.mark.hosts, pytest.mark.matrix]

HOST = "core/store-1"
KEYS = {
    "TRAINER_KEY": "trainer-key-of-a-test",
    "VIEWER_KEY": "viewer-key-of-a-test",
    "EMPTY_KEY": "empty-key-of-a-test",
}
TEXT = """\
software:
  storage_object:
    users:
      trainer: {key: env:TRAINER_KEY}
      viewer: {key: env:VIEWER_KEY}
      nobody: {key: env:EMPTY_KEY}
    DELETE
core:
  platform: local
  nodes:
    store: {count: 1, roles: [base, storage_object]}
  storage:
    data-sets: {kind: bucket, server: store, writers: [trainer], readers: [viewer], quota_gib: 1}
    MORE
"""
MODELS = "models: {kind: bucket, server: store, writers: [trainer]}"
MIB = 2**20


@pytest.fixture(scope="module")
def site(make_site: Callable[[str, str], Site]) -> Site:
    made = make_site("objects", TEXT.replace("DELETE\n", "\n").replace("MORE", MODELS))
    made.environ.update(KEYS)
    done = made.up()
    assert done.exit_code == 0, done.stdout + done.stderr
    for text in (done.stdout, done.stderr):
        assert not [key for key in KEYS.values() if key in text]
    return made


def s3(site: Site, user: str, key: str) -> Any:
    """A client from outside, as a user of the store."""
    address = site.on(HOST, "hostname", "--all-ip-addresses").split()[0]
    return boto3.client(
        "s3",
        endpoint_url=f"http://{address}:7480",
        aws_access_key_id=f"site:{user}",
        aws_secret_access_key=key,
        region_name="us-east-1",
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"total_max_attempts": 1},
            read_timeout=120,
        ),
    )


def refusal(of: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        of()
    return str(refused.value.response["Error"]["Code"])


def test_it_proves_itself_and_has_nothing_to_do_after(site: Site) -> None:
    proof = site.run("verify")
    assert (proof.exit_code, proof.problems()) == (0, [])
    runs = site.configured_runs()
    assert site.up().exit_code == 0
    assert site.configured_runs() == runs


def test_what_a_writer_puts_from_outside_a_reader_gets_whole(site: Site) -> None:
    trainer, viewer = s3(site, "trainer", KEYS["TRAINER_KEY"]), s3(site, "viewer", KEYS["VIEWER_KEY"])
    content = bytes(range(256)) * 4096
    trainer.put_object(Bucket="data-sets", Key="digits/one", Body=content)
    assert viewer.get_object(Bucket="data-sets", Key="digits/one")["Body"].read() == content
    assert [one["Key"] for one in viewer.list_objects_v2(Bucket="data-sets")["Contents"]] == ["digits/one"]


def test_an_upload_in_parts_is_put_together(site: Site) -> None:
    trainer = s3(site, "trainer", KEYS["TRAINER_KEY"])
    where = {"Bucket": "data-sets", "Key": "large"}
    upload = trainer.create_multipart_upload(**where)["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": trainer.upload_part(**where, UploadId=upload, PartNumber=number, Body=mark * size)["ETag"],
        }
        for number, (mark, size) in enumerate(((b"a", 5 * MIB), (b"b", MIB)), start=1)
    ]
    trainer.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    assert trainer.get_object(**where)["Body"].read() == b"a" * 5 * MIB + b"b" * MIB


def test_a_wrong_key_a_reader_who_writes_and_one_without_rights_are_refused(site: Site) -> None:
    wrong = s3(site, "trainer", "another-key-of-a-test")
    assert refusal(lambda: wrong.get_object(Bucket="data-sets", Key="digits/one")) == "SignatureDoesNotMatch"
    unknown = s3(site, "eve", KEYS["TRAINER_KEY"])
    assert refusal(lambda: unknown.get_object(Bucket="data-sets", Key="digits/one")) == "SignatureDoesNotMatch"
    viewer, nobody = s3(site, "viewer", KEYS["VIEWER_KEY"]), s3(site, "nobody", KEYS["EMPTY_KEY"])
    assert refusal(lambda: viewer.put_object(Bucket="data-sets", Key="x", Body=b"x")) == "AccessDenied"
    assert refusal(lambda: viewer.get_object(Bucket="models", Key="x")) == "AccessDenied"
    assert refusal(lambda: nobody.get_object(Bucket="data-sets", Key="digits/one")) == "AccessDenied"


def test_keys_are_in_no_file_that_others_read_nor_in_what_a_run_leaves(site: Site) -> None:
    for folder in (site.file.parent, *site.file.parent.rglob("*")):
        if folder.is_file():
            content = folder.read_bytes()
            assert not [key for key in KEYS.values() if key.encode() in content], folder
    found = site.on(HOST, "grep", "-rlF", KEYS["TRAINER_KEY"], "/etc", "/usr/local", "/srv", "/var").split()
    assert found == ["/etc/swift/proxy-server.conf.d/20-users.conf"]
    assert site.on(HOST, "stat", "--format=%a %U %G", found[0]) == "640 root swift\n"


def test_a_bucket_that_left_the_file_is_kept_and_told_until_it_is_named(site: Site) -> None:
    trainer = s3(site, "trainer", KEYS["TRAINER_KEY"])
    trainer.put_object(Bucket="models", Key="one", Body=b"weights")
    head = site.file.read_text().partition("software:")[0]
    site.file.write_text(head + TEXT.replace("DELETE\n", "\n").replace("MORE", ""))
    assert site.up().exit_code == 0
    assert trainer.get_object(Bucket="models", Key="one")["Body"].read() == b"weights"
    told = site.run("verify")
    assert told.exit_code == 6
    kept = "the bucket models left the site file and is kept (delete: [models] deletes it)"
    assert told.problems() == [(HOST, f"the buckets are as the site file says: no: exit 0: {kept}")]
    site.file.write_text(head + TEXT.replace("DELETE", "delete: [models]").replace("MORE", ""))
    assert site.up().exit_code == 0
    assert site.run("verify").exit_code == 0
    site.file.write_text(head + TEXT.replace("DELETE\n", "\n").replace("MORE", MODELS))
    assert site.up().exit_code == 0
    assert refusal(lambda: trainer.get_object(Bucket="models", Key="one")) == "NoSuchKey"
