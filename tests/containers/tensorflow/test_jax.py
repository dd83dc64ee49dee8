"""The networks on another backend, where JAX is installed: in a process of its own, since a backend is chosen once."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from containers.tensorflow.generators import build_generator
from containers.tensorflow.recipe import recipe_of
from containers.tensorflow.removal_config import load_config
from tests.containers.tensorflow.removal_world import SCALERS, channels

SCRIPT = """
import json, sys
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1], compile=False)
told = model.predict_on_batch(np.load(sys.argv[2]))
print(json.dumps([keras.backend.backend(), np.asarray(told).tolist()]))
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
@pytest.mark.parametrize("preset", ["small", "adaptive"])
def test_jax_tells_what_tensorflow_does(tmp_path: Path, preset: str) -> None:
    config = load_config(preset, {"network.filters": [4]})
    recipe, rng = recipe_of(*channels(), SCALERS, "all", config), np.random.default_rng(0)
    model = build_generator(recipe, config.network)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    inputs = rng.normal(0, 1, (1, 8, 8, recipe.width)).astype(np.float32)
    model.save(tmp_path / "generator.keras")
    np.save(tmp_path / "inputs.npy", inputs)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "generator.keras"), str(tmp_path / "inputs.npy")],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    backend, told = json.loads(run.stdout.splitlines()[-1])
    assert backend == "jax"
    np.testing.assert_allclose(told, model.predict_on_batch(inputs), rtol=1e-3, atol=1e-3)
