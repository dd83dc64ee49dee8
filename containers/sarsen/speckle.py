"""Which speckle filter, and how far it reaches."""

from containers.base.contract.radar import Speckle
from containers.sarsen import lee_sigma, refined_lee
from containers.sarsen.shifts import Array


def reach_px(speckle: Speckle) -> int:
    """How far a filtered pixel depends on others."""
    if speckle.filter == "lee_sigma":
        return lee_sigma.reach_px(speckle)
    return refined_lee.HALF if speckle.filter == "refined_lee" else 0


def filtered(power: Array, speckle: Speckle, bright: float) -> Array:
    """Power without most of its speckle; (y, x), float32, NaN where there is no data."""
    if speckle.filter == "lee_sigma":
        return lee_sigma.lee_sigma(power, speckle, bright)
    if speckle.filter == "refined_lee":
        return refined_lee.refined_lee(power, speckle.looks)
    return power
