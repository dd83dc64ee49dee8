"""Settings come from the environment, the archive's by the names that Creodias uses."""

import pytest

from containers.base.storage import Endpoint
from tasks.settings import Settings

CREODIAS = {
    "AWS_S3_ENDPOINT": "eodata.cloudferro.com",
    "AWS_HTTPS": "YES",
    "AWS_VIRTUAL_HOSTING": "FALSE",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "default",
}


@pytest.fixture(autouse=True)
def _creodias(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREODIAS.items():
        monkeypatch.setenv(name, value)


def test_archive_of_creodias() -> None:
    assert Settings().archive == Endpoint("https://eodata.cloudferro.com", False, "default", "id", "secret")


def test_step_sees_the_same_archive_as_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Endpoint.archive()
    assert (seen.url, seen.virtual_hosting, seen.region) == ("https://eodata.cloudferro.com", False, "default")
    monkeypatch.setenv("AWS_HTTPS", "NO")
    monkeypatch.setenv("AWS_S3_ENDPOINT", "127.0.0.1:9000")
    assert Endpoint.archive().url == Settings().archive.url == "http://127.0.0.1:9000"


def test_store_uses_the_archive_unless_it_has_its_own() -> None:
    assert Settings(store="s3://b/p").store_endpoint == Settings().archive
    own = Settings(store="s3://b/p", store_host="s3.waw3-1.cloudferro.com", store_key_id="k", store_secret="s")
    assert own.store_endpoint == Endpoint("https://s3.waw3-1.cloudferro.com", False, "default", "k", "s")


def test_secrets_are_not_shown() -> None:
    settings = Settings(store_key_id="k", store_secret="hidden")
    assert "hidden" not in f"{settings!r} {settings.store_endpoint!r}"
    assert "secret'" not in repr(settings.archive)


def test_store_is_a_folder_or_a_bucket() -> None:
    assert Settings(store="s3://bucket/prefix").store_is_bucket
    assert not Settings(store="/data/store").store_is_bucket
