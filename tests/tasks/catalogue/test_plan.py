"""What a run will cost, by hand."""

import pytest
from shapely.geometry import MultiPolygon, box

from containers.base.contract.grid import Grid
from tasks.catalogue.plan import PlanParams, Rates, make_plan
from tasks.catalogue.selection import select_scenes
from tasks.periods import make_periods

AREA = MultiPolygon([box(12.6, 48.0, 13.0, 48.4)])
GRID = Grid(epsg=3035, resolution_m=20, west_m=4_000_000, north_m=3_000_000, width=2000, height=1000)


def test_bytes_minutes_and_quota(make_scene):
    scenes = [make_scene(start=f"20{year}0501T101559", size=6_000_000_000) for year in (19, 20)]
    spare = make_scene(start="20200601T101559", size=10**12, share=0.1)
    selection = select_scenes([*scenes, spare], AREA, make_periods("season", [2019, 2020], (5, 6)))
    rates = Rates(
        archive_mb_s_per_connection=10, align_mpx_s=10, composite_mpx_s=4, cube_mpx_s=4, train_patches_s=2,
        predict_mpx_s=1, stored_bytes_per_value=1.5, jp2_bytes_per_value=1.2,
    )  # fmt: skip
    plan = make_plan(selection, PlanParams(grid=GRID, patches=240, rates=rates))
    assert (plan.scenes, plan.acquisitions, plan.tiles, plan.periods, plan.refused) == (2, 2, 1, 2, 1)
    assert plan.bytes_to_read == 12_000_000_000
    assert plan.quota_share == pytest.approx(0.001)
    # The tile is larger than the grid of 2 Mpx: one band, two dates, two mosaics, two periods of the cube.
    assert plan.bytes_to_store == 1.5 * (4e6 + 4e6 + 4e6)
    assert plan.minutes == pytest.approx(
        {
            "download": 12_000 / 40 / 60,
            "align": 10_000 / 10 / 60,
            "composite": 4 / 4 / 60,
            "cube": 4 / 4 / 60,
            "train": 240 / 2 / 60,
            "predict": 4 / 1 / 60,
        }
    )
    assert plan.total_minutes == pytest.approx(sum(plan.minutes.values()))
    table = dict(plan.table())
    assert table["to read"] == "12.00 GB"
    assert table["to store"] == "18.0 MB"
    assert table["share of the CDSE quota"] == "0.10% of 12 TB in 30 days"


def test_a_run_that_reads_nothing_costs_nothing():
    selection = select_scenes([], AREA, make_periods("year", [2020]))
    plan = make_plan(selection, PlanParams(grid=GRID))
    assert (plan.scenes, plan.bytes_to_read, plan.quota_share) == (0, 0, 0)
    assert plan.minutes["download"] == plan.minutes["train"] == 0
