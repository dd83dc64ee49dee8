"""The whole step on simulated products whose gamma nought is known, and everything that it must refuse."""

import numpy as np

from tests.containers.sarsen.conftest import GAMMA0, hills


def test_level_ground_gives_its_gamma_nought(simulate):
    result, layers = simulate().run()
    for band, truth in GAMMA0.items():
        print(
            band,
            layers[band].mean() / truth,
            np.isnan(layers[band]).sum(),
            1 / (layers[band].var() / layers[band].mean() ** 2),
        )
    print(result.warnings, layers["incidence"].mean())


def test_hills(simulate):
    sim = simulate(hills)
    result, layers = sim.run()
    for band, truth in GAMMA0.items():
        r = 10 * np.log10(layers[band] / truth)
        print(
            band,
            np.nanmean(layers[band]) / truth,
            np.nanstd(r),
            np.nanpercentile(r, [1, 5, 50, 95, 99]),
            np.isnan(r).sum(),
        )
    np.save("/tmp/hills.npy", np.stack([layers["vv"], layers["vh"], layers["incidence"]]))
