"""What was cut together stays together: new stencils are cut alone, equal sets are equal bytes."""

from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tasks.pastures.batches import batches_of, hashes, remembered_batches

members = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("123"), max_size=8)
known = st.lists(members.filter(bool), max_size=4)


@given(known, members)
def test_every_wanted_stencil_is_in_a_batch_and_only_the_last_may_be_new(known: Any, wanted: Any) -> None:
    batches = batches_of(known, wanted)
    assert all(any(batch.get(name) == digest for batch in batches) for name, digest in wanted.items())
    assert all(batch in known for batch in batches[:-1])
    if batches and batches[-1] not in known:
        earlier = [batch for batch in known if any(wanted.get(name) == digest for name, digest in batch.items())]
        new = {name: digest for name, digest in wanted.items() if not any(b.get(name) == digest for b in earlier)}
        assert batches[-1] == new


@given(known, members)
def test_an_unchanged_set_gives_the_same_batches(known: Any, wanted: Any) -> None:
    batches = batches_of(known, wanted)
    assert batches_of(batches, wanted) == batches


@given(members.filter(bool))
def test_one_more_pasture_is_cut_alone(wanted: Any) -> None:
    first = batches_of([], wanted)
    assert first == (dict(sorted(wanted.items())),)
    assert batches_of(first, wanted | {"new": "1"}) == (*first, {"new": "1"})


@given(members.filter(lambda found: len(found) > 1))
def test_one_less_costs_nothing(wanted: Any) -> None:
    first = batches_of([], wanted)
    without = dict(list(wanted.items())[1:])
    assert batches_of(first, without) == first


def test_a_batch_that_serves_nothing_goes() -> None:
    assert batches_of([{"a": "1"}, {"a": "1", "b": "1"}, {"a": "1"}], {"a": "1"}) == ({"a": "1"},)
    assert batches_of([{"a": "1"}], {}) == ()


def pastures(**east: float) -> gpd.GeoDataFrame:
    shapes = [shapely.box(700_000 + value, 5_000_000, 700_200 + value, 5_000_200) for value in east.values()]
    return gpd.GeoDataFrame({"id": list(east)}, geometry=shapes, crs=32631)


class TestRemembered:
    def test_a_new_pasture_is_a_batch_of_its_own(self, store: Any) -> None:
        (first,) = remembered_batches(store, "job", "31TGK", pastures(a=0, b=300))
        again = remembered_batches(store, "job", "31TGK", pastures(b=300, a=0))
        assert again == (first,)
        grown = remembered_batches(store, "job", "31TGK", pastures(a=0, b=300, c=900))
        assert grown[0] == first
        assert (grown[1].wanted, len(grown)) == (("c",), 2)
        content = gpd.read_parquet(store.path_of(grown[1].file))
        assert content["id"].tolist() == ["c"]

    def test_a_changed_outline_is_cut_anew_and_the_others_are_not(self, store: Any) -> None:
        (first,) = remembered_batches(store, "job", "31TGK", pastures(a=0, b=300))
        moved = remembered_batches(store, "job", "31TGK", pastures(a=0, b=400))
        assert [batch.wanted for batch in moved] == [("a",), ("b",)]
        assert moved[0].file == first.file

    def test_tiles_and_jobs_are_apart(self, store: Any) -> None:
        remembered_batches(store, "job", "31TGK", pastures(a=0))
        for job, tile in (("job", "31TGL"), ("other", "31TGK")):
            (batch,) = remembered_batches(store, job, tile, pastures(a=0, b=300))
            assert batch.wanted == ("a", "b")

    def test_a_file_that_is_gone_is_written_again(self, store: Any) -> None:
        (first,) = remembered_batches(store, "job", "31TGK", pastures(a=0))
        store.shelf.delete(first.file.store_path)
        assert remembered_batches(store, "job", "31TGK", pastures(a=0)) == (first,)
        assert store.shelf.size(first.file.store_path) == first.file.size

    def test_another_run_that_was_faster_is_seen(self, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        real, raced = type(store.shelf).create, []

        def create(shelf: Any, path: str, text: str) -> bool:
            if not raced and "batches-" in path:
                raced.append(path)
                remembered_batches(store, "job", "31TGK", pastures(a=0))
            return bool(real(shelf, path, text))

        monkeypatch.setattr(type(store.shelf), "create", create)
        batches = remembered_batches(store, "job", "31TGK", pastures(a=0, b=300))
        assert [batch.wanted for batch in batches] == [("a",), ("b",)]


def test_hashes_tell_shapes_and_systems_not_the_start_of_a_ring() -> None:
    one, turned = pastures(a=0), pastures(a=0)
    ring = list(one.geometry[0].exterior.coords)
    turned.geometry = [shapely.Polygon(ring[2:-1] + ring[:3])]
    assert hashes(one) == hashes(turned)
    assert hashes(one) != hashes(pastures(a=1))
    assert hashes(one) != hashes(one.set_crs(32632, allow_override=True))
