"""Searches over items made by hand, and the archive that they speak of."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from containers.base import storage
from tasks.radar_catalogue.request import RadarRequest
from tasks.radar_catalogue.search import RadarAnswer, search_radar
from tests.conftest import S3Server
from tests.tasks.radar_items import AOI, MAY, content_of, folder_of, radar_item, safe_paths


@pytest.fixture
def make_item() -> Callable[..., dict[str, Any]]:
    return radar_item


@pytest.fixture
def stored(s3_server: S3Server) -> Callable[..., str]:
    """Puts a product's objects into the archive, all but those whose path starts with one of `without`."""

    def store(name: str, without: tuple[str, ...] = ()) -> str:
        for path in safe_paths(name):
            if not without or not path.startswith(without):
                key = f"{folder_of(name)}/{path}".removeprefix("s3://eodata/")
                storage.client().put_object(Bucket="eodata", Key=key, Body=content_of(name, path))
        return name

    return store


@pytest.fixture
def search_items(tmp_path) -> Callable[..., RadarAnswer]:
    """Search in a file of the given items."""

    def run(*items: dict[str, Any], **fields: Any) -> RadarAnswer:
        path = tmp_path / "items.json"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(items)}))
        request = {"provider": "items", "endpoint": str(path), "aoi": AOI, "periods": (MAY,), "check_objects": False}
        return search_radar(RadarRequest.model_validate({**request, **fields}))

    return run
