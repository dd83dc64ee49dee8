"""The root of every contract model: frozen, and closed to unknown fields."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A value that crosses the wall between host and container."""

    model_config = ConfigDict(frozen=True, extra="forbid")
