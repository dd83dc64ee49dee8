"""The local EODATA as a client sees it: a real S3 and a real STAC API, which a kill does not harm."""

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.container
KEY, SECRET = "test-key-id", "test-secret-key"
START_S = 150.0
MEBIBYTE = 1 << 20


def items() -> list[dict[str, Any]]:
    """Twelve squares of 0.1° in a row from 11° E, one per day of May 2021, 0 to 88 % cloudy."""
    found = []
    for index in range(12):
        west, east = 11 + index / 10, 11.1 + index / 10
        ring = [[west, 48.0], [east, 48.0], [east, 48.1], [west, 48.1], [west, 48.0]]
        found.append(
            {
                "type": "Feature",
                "stac_version": "1.1.0",
                "id": f"scene-{index:02d}",
                "collection": "sentinel-2-l2a",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "bbox": [west, 48.0, east, 48.1],
                "properties": {"datetime": f"2021-05-{index + 1:02d}T10:00:00Z", "eo:cloud_cover": 8 * index},
                "links": [],
                "assets": {"B04_20m": {"href": f"s3://eodata/Sentinel-2/scene-{index:02d}/B04.jp2"}},
            }
        )
    return found


def write_archive(folder: Path, found: list[dict[str, Any]]) -> Path:
    """A folder as `eodata.simulate` leaves it: objects below eodata/, and items.json."""
    for item in found:
        path = folder / item["assets"]["B04_20m"]["href"].removeprefix("s3://")
        path.parent.mkdir(parents=True)
        path.write_bytes(item["id"].encode() * 1000)
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": found}))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@dataclass
class Gateway:
    """The container under test, on a network and a volume of its own."""

    container: "Container"
    network: str

    def await_ready(self) -> float:
        """Seconds until it is ready."""
        started = time.monotonic()
        while time.monotonic() - started < START_S:
            self.container.reload()
            assert self.container.status == "running", self.container.logs(tail=30).decode()
            if self.container.exec_run(["test", "-e", "/run/eodata/ready"]).exit_code == 0:
                return time.monotonic() - started
            time.sleep(0.2)
        pytest.fail(f"not ready after {START_S:.0f} s: {self.container.logs(tail=30).decode()}")

    @property
    def address(self) -> str:
        return str(self.container.attrs["NetworkSettings"]["Networks"][self.network]["IPAddress"])

    def s3(self, secret: str = SECRET, key: str = KEY) -> "S3Client":
        return boto3.client(
            "s3",
            endpoint_url=f"http://{self.address}:8000",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name="default",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=30),
        )

    def search(self, **query: Any) -> dict[str, Any]:
        return self.stac("/search", json.dumps(query).encode())

    def stac(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        """The STAC API's answer to a GET, or to a POST where there is a body."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self.address}:8080{path}", body, headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@pytest.fixture(scope="module")
def eodata_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    return write_archive(folder, items())


@pytest.fixture(scope="module")
def gateway(docker_engine: "DockerClient", image_ids: dict[str, str], eodata_archive: Path) -> Iterator[Gateway]:
    """Locked down like a step, writing to its volume and to memory only."""
    name = f"clearground-test-{uuid.uuid4().hex[:8]}"
    network = docker_engine.networks.create(name)
    volume = docker_engine.volumes.create(name)
    container = docker_engine.containers.run(
        image_ids["eodata"],
        name=name,
        detach=True,
        init=True,
        network=name,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "mode=1777", "/run/eodata": "uid=65532,gid=65532"},
        environment={"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
        volumes={
            name: {"bind": "/var/lib/eodata", "mode": "rw"},
            str(eodata_archive): {"bind": "/archive", "mode": "ro"},
        },
    )
    started = Gateway(container, name)
    try:
        started.await_ready()
        yield started
    finally:
        container.remove(force=True)
        volume.remove()
        network.remove()


@pytest.fixture
def bucket(gateway: Gateway) -> str:
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    gateway.s3().create_bucket(Bucket=name)
    return name


def code_of(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def test_archive_is_loaded(gateway: Gateway) -> None:
    entries = gateway.s3().list_objects_v2(Bucket="eodata", Prefix="Sentinel-2/")["Contents"]
    assert [entry["Key"] for entry in entries] == [f"Sentinel-2/scene-{index:02d}/B04.jp2" for index in range(12)]
    body = gateway.s3().get_object(Bucket="eodata", Key="Sentinel-2/scene-07/B04.jp2")["Body"].read()
    assert body == b"scene-07" * 1000


def test_range_is_partial_content(gateway: Gateway, bucket: str) -> None:
    gateway.s3().put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    answer = gateway.s3().get_object(Bucket=bucket, Key="digits", Range="bytes=3-6")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == "bytes 3-6/10"
    assert answer["Body"].read() == b"3456"


def test_etag_is_the_md5_sum_and_of_parts_where_there_are_parts(gateway: Gateway, bucket: str) -> None:
    client = gateway.s3()
    assert client.put_object(Bucket=bucket, Key="one", Body=b"hello")["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    upload = client.create_multipart_upload(Bucket=bucket, Key="two")["UploadId"]
    parts = []
    for number, body in ((1, b"a" * 5 * MEBIBYTE), (2, b"b")):
        part = client.upload_part(Bucket=bucket, Key="two", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    client.complete_multipart_upload(Bucket=bucket, Key="two", UploadId=upload, MultipartUpload={"Parts": parts})
    assert client.head_object(Bucket=bucket, Key="two")["ETag"].strip('"').endswith("-2")


def test_only_the_first_writer_wins(gateway: Gateway, bucket: str) -> None:
    """What the artifact store's markers rest on."""
    gateway.s3().put_object(Bucket=bucket, Key="marker", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        gateway.s3().put_object(Bucket=bucket, Key="marker", Body=b"second", IfNoneMatch="*")
    assert code_of(refused.value) == "PreconditionFailed"
    assert gateway.s3().get_object(Bucket=bucket, Key="marker")["Body"].read() == b"first"


@pytest.mark.parametrize(
    ("key", "secret", "code"), [(KEY, "wrong", "SignatureDoesNotMatch"), ("nobody", SECRET, "InvalidAccessKeyId")]
)
def test_wrong_keys_are_refused(gateway: Gateway, key: str, secret: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        gateway.s3(secret, key).list_buckets()
    assert code_of(refused.value) == code


def test_missing_key_is_told(gateway: Gateway, bucket: str) -> None:
    with pytest.raises(ClientError) as refused:
        gateway.s3().get_object(Bucket=bucket, Key="absent")
    assert code_of(refused.value) == "NoSuchKey"


def test_search_filters_by_cql2(gateway: Gateway) -> None:
    clear = {"op": "<", "args": [{"property": "eo:cloud_cover"}, 30]}
    found = gateway.search(collections=["sentinel-2-l2a"], filter=clear, **{"filter-lang": "cql2-json"})
    assert {feature["id"] for feature in found["features"]} == {f"scene-{index:02d}" for index in range(4)}


def test_search_intersects(gateway: Gateway) -> None:
    area = {"type": "Polygon", "coordinates": [[[11.25, 48.02], [11.45, 48.02], [11.45, 48.05], [11.25, 48.02]]]}
    found = gateway.search(collections=["sentinel-2-l2a"], intersects=area)
    assert {feature["id"] for feature in found["features"]} == {"scene-02", "scene-03", "scene-04"}


def test_search_by_time_keeps_hrefs_as_they_were(gateway: Gateway) -> None:
    found = gateway.search(collections=["sentinel-2-l2a"], datetime="2021-05-05T00:00:00Z/2021-05-05T23:59:59Z")
    assert [feature["assets"]["B04_20m"]["href"] for feature in found["features"]] == [
        "s3://eodata/Sentinel-2/scene-04/B04.jp2"
    ]


def test_pages_reach_every_item_once(gateway: Gateway) -> None:
    ids: list[str] = []
    query: dict[str, Any] | None = {"collections": ["sentinel-2-l2a"], "limit": 5}
    while query:
        page = gateway.search(**query)
        assert len(page["features"]) <= 5
        ids += [feature["id"] for feature in page["features"]]
        query = next((link["body"] for link in page["links"] if link["rel"] == "next"), None)
    assert sorted(ids) == [f"scene-{index:02d}" for index in range(12)]


def test_catalogue_offers_its_collection(gateway: Gateway) -> None:
    answer = gateway.stac("/collections/sentinel-2-l2a")
    assert answer["extent"]["temporal"]["interval"] == [["2021-05-01T10:00:00+00:00", "2021-05-12T10:00:00+00:00"]]


def restart_after_kill(gateway: Gateway) -> None:
    gateway.container.kill("SIGKILL")
    gateway.container.wait()
    gateway.container.start()
    gateway.await_ready()


def test_a_kill_loses_nothing(gateway: Gateway, bucket: str) -> None:
    body = bytes(range(256)) * 40_000
    gateway.s3().put_object(Bucket=bucket, Key="kept", Body=body)
    restart_after_kill(gateway)
    assert gateway.s3().get_object(Bucket=bucket, Key="kept")["Body"].read() == body
    gateway.s3().put_object(Bucket=bucket, Key="after", Body=b"still writable")
    assert len(gateway.search(collections=["sentinel-2-l2a"], limit=100)["features"]) == 12
    restart_after_kill(gateway)
    assert gateway.s3().get_object(Bucket=bucket, Key="after")["Body"].read() == b"still writable"


def test_another_archive_takes_the_place_of_the_first(gateway: Gateway, eodata_archive: Path) -> None:
    """The last test here: it changes what the others look at."""
    (eodata_archive / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items()[:2]}))
    for index in range(2, 12):
        (eodata_archive / "eodata" / "Sentinel-2" / f"scene-{index:02d}" / "B04.jp2").unlink()
    gateway.container.stop(timeout=30)
    gateway.container.start()
    gateway.await_ready()
    assert gateway.s3().list_objects_v2(Bucket="eodata")["KeyCount"] == 2
    found = gateway.search(collections=["sentinel-2-l2a"])
    assert {feature["id"] for feature in found["features"]} == {"scene-00", "scene-01"}
