"""From a label map's own codes to the legend, by an editable rules file."""

from typing import ClassVar

from pydantic import Field, model_validator

from containers.base.contract.files import File
from containers.base.contract.step import Resources, StepParams, StepResult

SHIPPED_RULES = ("s2glc", "worldcover", "clcplus")


class ReclassResult(StepResult):
    classes: File = Field(description="Land-cover COG, uint8, legend codes, nodata 0")
    counts: dict[int, int] = Field(description="Legend code to cells")


class ReclassParams(StepParams):
    """GRASS `r.reclass`. Every code that occurs must have a rule; two maps may be cleaned by agreement."""

    step: ClassVar[str] = "grass.reclass"
    result: ClassVar[type[StepResult]] = ReclassResult
    resources: ClassVar[Resources] = Resources(memory_mb=1024)
    data_files: ClassVar[tuple[str, ...]] = tuple(f"rules/{name}.txt" for name in SHIPPED_RULES)

    codes: File
    rules: str = Field(
        default="s2glc", description="Rules shipped with the image: s2glc, worldcover, clcplus; or custom"
    )
    custom_rules: str = Field(default="", description="Text of r.reclass rules, used where rules is custom")
    second_codes: File | None = Field(default=None, description="Second label map; cells that disagree become unknown")
    second_rules: str = "clcplus"
    second_custom_rules: str = ""

    @model_validator(mode="after")
    def _rules_are_known(self) -> "ReclassParams":
        for rules, custom in ((self.rules, self.custom_rules), (self.second_rules, self.second_custom_rules)):
            if rules == "custom" and not custom.strip():
                raise ValueError("rules are custom, but custom_rules is empty")
            if rules not in (*SHIPPED_RULES, "custom"):
                raise ValueError(f"rules {rules!r} are not known; there are {', '.join(SHIPPED_RULES)} and custom")
        return self
