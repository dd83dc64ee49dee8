"""Ground truth: points and polygons of a survey become sites on the pixel grid."""

from typing import ClassVar, Literal

from pydantic import Field

from containers.base.contract.files import File
from containers.base.contract.model import Contract
from containers.base.contract.step import StepParams, StepResult

PointRule = Literal["pixel", "lower_left"]


class SurveyFields(Contract):
    """Names of a survey's columns, upper and lower case alike."""

    site_id: str = Field(default="", description="Column of the site's or polygon's name; empty: numbered per file")
    class_code: str = Field(description="Column of the vegetation class")
    group: tuple[str, ...] = Field(
        default=(), description="Columns of what sites have in common, such as the pasture: the first that is not empty"
    )
    massif: str = Field(default="", description="Column of the massif")


class SurveyFile(Contract):
    """One file of a survey, as it was taken into the store."""

    name: str = Field(description="Name of the user's file: it may hold the tile, such as T31TGK")
    file: File = Field(description="GeoParquet with the columns and the CRS of the user's file")


class SurveyResult(StepResult):
    sites: File = Field(
        description="GeoParquet, points in EPSG:4326: site_id, tile, epsg, x_m, y_m (UTM of the tile), class_code, "
        "group, massif, polygon_id (empty for points), file"
    )
    notices: File = Field(description="CSV: code, file, site_id, class_code, x, y, reason; one row per site concerned")
    n_sites: int = Field(ge=1)
    classes: dict[str, int] = Field(description="Class to its sites; the empty text is no class")


class SurveyParams(StepParams):
    """Check, snap and assign the sites of a survey. Raises `bad_sample` with a list."""

    step: ClassVar[str] = "gdal.survey"
    result: ClassVar[type[StepResult]] = SurveyResult

    files: tuple[SurveyFile, ...] = Field(min_length=1)
    fields: SurveyFields
    tiles: dict[str, str] = Field(
        min_length=1, description="MGRS tile to its outline as WKT, EPSG:4326; its zone is in its name"
    )
    points: PointRule = Field(
        default="pixel",
        description="pixel: centres of 10 m cells whose centre lies in the polygon, and the cell that holds a point; "
        "lower_left: every 10 m from the polygon's lower left corner, strictly inside, points as they are",
    )
    unclassed: tuple[str, ...] = Field(
        default=("",), description="Codes that are no class, in the survey's writing; NA is a class unless named"
    )
