"""The documented commands on real spectra: train on some pastures, classify the sites of others."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.demo_run import ROOT

pytestmark = [pytest.mark.real, pytest.mark.slow]
WITHOUT_CLASSES = ("Typo_Veget", "typo_veg")


def written(source: Path, target: Path, keep: np.ndarray, leave_out: tuple[str, ...] = ()) -> Path:
    """Some sites of the sample in a file of the same format."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for name in sorted(set(old) - set(leave_out)):
            values = old[name][...]
            new[name] = values if name == "time" else values[..., keep]
        for name in ("units", "calendar"):
            new["time"].attrs[name] = old["time"].attrs[name]
        for name in ("time", "Id_sitesAS"):
            new[name].make_scale(name)
        for name in set(new) - {"time", "Id_sitesAS"}:
            dims = new[name].dims
            dims[len(dims) - 1].attach_scale(new["Id_sitesAS"])
            if len(dims) == 2:
                dims[0].attach_scale(new["time"])
    return target


def clearground(state: Path, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "flows.cli", "pastures", *arguments],
        cwd=ROOT,
        env={**os.environ, "CLEARGROUND_STATE": str(state), "CLEARGROUND_RUNNER": "local", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    return finished.stdout


def test_sites_of_other_pastures_are_classified_better_than_by_the_commonest_type(sample_data, tmp_path):
    source = sample_data / "alpage" / "spectra_2017.nc"
    with h5py.File(source) as file:
        texts = {name: file[name].asstr()[:] for name in ("Id_sitesAS", "ALPAGE", "nom_massif", "Typo_Veget")}
    table = pd.DataFrame(texts).set_index("Id_sitesAS")
    groups = np.where(table["ALPAGE"] != "", table["ALPAGE"], table["nom_massif"])
    unseen = np.isin(groups, np.unique(groups)[1::3])
    known = written(source, tmp_path / "known.nc", np.flatnonzero(~unseen))
    other = written(source, tmp_path / "other.nc", np.flatnonzero(unseen)[::-1], leave_out=WITHOUT_CLASSES)
    told = clearground(tmp_path / "state", "train", str(known), str(tmp_path / "model"))
    assert "overall accuracy" in told
    clearground(tmp_path / "state", "classify", str(other), str(tmp_path / "model"), str(tmp_path / "types.csv"))
    types = pd.read_csv(tmp_path / "types.csv").set_index("site_id")
    assert set(types.index) == set(table.index[unseen])
    true = table["Typo_Veget"][unseen]
    named = true[~true.isin(["", "NA"])]
    commonest = table["Typo_Veget"][~unseen][lambda codes: ~codes.isin(["", "NA"])].mode()[0]
    accuracy = (types["predicted"].loc[named.index] == named).mean()
    print(f"accuracy {accuracy:.3f} of {len(named)} sites, commonest type {(named == commonest).mean():.3f}")
    assert accuracy > (named == commonest).mean() + 0.05
