"""Items, scenes and requests by hand, in the layout of CDSE v1."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from shapely.geometry import box, mapping

from containers.base.contract.files import File
from containers.base.contract.scene import Scene
from tasks.catalogue.request import SearchRequest
from tasks.catalogue.search import search_scenes
from tasks.periods import Period

TILE_33UUP = (300000.0, 5290200.0, 409800.0, 5400000.0)
"""Bounds in EPSG:32633; about 12.2–13.8 E, 47.7–48.7 N."""
AOI = (12.6, 48.0, 13.0, 48.3)
DATA = box(12.3, 47.75, 13.7, 48.65)


def product_name(
    *,
    platform="S2A",
    level="L2A",
    start="20200705T101559",
    baseline="0500",
    orbit=65,
    tile="33UUP",
    made="20230530T175912",
) -> str:
    return f"{platform}_MSI{level}_{start}_N{baseline}_R{orbit:03}_T{tile}_{made}"


@pytest.fixture(scope="session")
def make_item() -> Callable[..., dict[str, Any]]:
    def make(*, footprint=DATA, cloud=10.0, strip=None, offset=-0.1, assets=None, **name):
        product = product_name(**name)
        start = name.get("start", "20200705T101559")
        folder = f"s3://eodata/Sentinel-2/MSI/L2A/{product}.SAFE/GRANULE/IMG_DATA"

        def asset(key: str, res: int, **fields: Any) -> dict[str, Any]:
            return {
                "href": f"{folder}/R{res}m/{key}_{res}m.jp2",
                "gsd": res,
                "file:size": 1000 * res,
                "file:checksum": f"1620{abs(hash((product, key, res))):016x}",
                "proj:code": "EPSG:32633",
                "proj:bbox": list(TILE_33UUP),
                **fields,
            }

        scaled = {"raster:scale": 0.0001, **({} if offset is None else {"raster:offset": offset})}
        rasters = {
            "B04_10m": asset("B04", 10, **scaled),
            "B04_20m": asset("B04", 20, **scaled),
            "B04_60m": asset("B04", 60, **scaled),
            "B11_20m": asset("B11", 20, **scaled),
            "SCL_20m": asset("SCL", 20),
        }
        taken = datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        strip = strip or start
        return {
            "type": "Feature",
            "stac_version": "1.1.0",
            "id": product,
            "collection": "sentinel-2-l2a",
            "geometry": mapping(footprint) if footprint is not None else None,
            "bbox": list(footprint.bounds) if footprint is not None else None,
            "links": [],
            "properties": {
                "datetime": taken.isoformat().replace("+00:00", ".024Z"),
                "eo:cloud_cover": cloud,
                "eopf:datastrip_id": f"S2A_OPER_MSI_L2A_DS_S2RP_20230530T175912_S{strip}_N05.00",
            },
            "assets": rasters if assets is None else assets,
        }

    return make


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    def make(*, footprint=DATA, cloud=10.0, share=1.0, strip=None, size=1000, **name):
        name = {"start": "20200705T101559", "baseline": "0500", "orbit": 65, "tile": "33UUP", **name}
        product = product_name(**name)
        moment = datetime.strptime(name["start"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        strip = None if strip is None else datetime.strptime(strip, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return Scene(
            id=product,
            platform=product[:3],
            level="L2A",
            tile=name["tile"],
            datetime=moment,
            datatake=moment,
            datastrip=strip,
            orbit=name["orbit"],
            baseline=f"{name['baseline'][:2]}.{name['baseline'][2:]}",
            processed=datetime.strptime(product[-15:], "%Y%m%dT%H%M%S").replace(tzinfo=UTC),
            cloud_cover=cloud,
            footprint=footprint.wkt,
            valid_share=share,
            bands={"red": File(href=f"s3://eodata/{product}/B04.jp2", content_id="multihash:1620", size=size)},
            offsets_dn={"red": -1000.0},
        )

    return make


@pytest.fixture(scope="session")
def july() -> Period:
    return Period(label="2020-07", start="2020-07-01", end="2020-07-31")


@pytest.fixture
def search_items(tmp_path, july) -> Callable[..., Any]:
    """Search in a file of the given items."""

    def run(*items: dict[str, Any], **fields: Any):
        path = tmp_path / "items.json"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(items)}))
        request = {
            "provider": "items",
            "endpoint": str(path),
            "aoi": ",".join(map(str, AOI)),
            "periods": (july,),
            "bands": ("red", "swir16"),
            "check_objects": False,
            **fields,
        }
        return search_scenes(SearchRequest(**request))

    return run
