"""Gap filling of 70 dates with gaps: the time of the same cells by every way.

Floor: one value per cell and date read and written, nothing computed. `lstsq` is the per-pixel loop of the prototype
with 12 unknowns, `batched` its batched form in numpy, `harmonic_12` ours with the same unknowns and equal values,
`eilers` the rival library whittaker-eilers with daily nodes, `whittaker` ours at the same smoothness. `step` is the
whole default step, with quality, uncertainty, undetected clouds and files, on a slice as wide as a tile.
The slow ways fill fewer cells; rates in Mpixel-dates/s are printed by each case.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import whittaker_eilers
from numpy.typing import NDArray

from benchmarks.cases import Case, main
from containers.base.contract.files import File, sha256_of
from containers.base.contract.grid import Grid
from containers.gdal.contract.fill import Filling, FillParams
from containers.gdal.fill import run
from containers.gdal.harmonic import basis
from containers.gdal.normal_equations import solve
from containers.gdal.series_file import EPOCH, Header, chunk_windows, create_series
from containers.gdal.smoothers import whittaker

Array = NDArray[np.float64]
N_DATES, ORDER, THREADS = 70, 5, 2
CELLS = 200_000
BATCH = 1024
SLICE = Grid(epsg=32633, resolution_m=10, west_m=300_000, north_m=5_500_020, width=10_980, height=512)
EVERY_DAYS = 10
