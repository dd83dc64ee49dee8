"""Label codes to the legend with `r.reclass`, by an editable rules file."""

from pathlib import Path

from containers.base.contract.files import File, output_file
from containers.base.contract.grid import Grid
from containers.base.contract.legend import LandCover
from containers.base.contract.step import StepError
from containers.base.grid import grid_of, require_grid
from containers.base.raster import open_raster
from containers.base.step import local_path, main
from containers.grass.contract.reclass import ReclassParams, ReclassResult
from containers.grass.session import GrassError, Project, open_project

_RULES = Path(__file__).parent / "rules"
_SHOWN = 12


def rules_text(rules: str, custom: str) -> str:
    """The rules as `r.reclass` reads them: it knows no comments, the files have them in lines that begin with #."""
    text = custom if rules == "custom" else (_RULES / f"{rules}.txt").read_text()
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def unmapped(pairs: str) -> dict[int, int]:
    """Codes without a rule and their cells, from `r.stats -c` of (code, class) as CSV; * is null.

    >>> unmapped("62,1,40\\n99,*,3\\n*,*,7\\n")
    {99: 3}
    """
    rows = (line.split(",") for line in pairs.split())
    return {int(code): int(cells) for code, new, cells in rows if code != "*" and new == "*"}


def agreement(first: str, second: str) -> str:
    """The `r.mapcalc` expression that keeps the class on which both maps agree, else 0."""
    return f"if(isnull({first}), 0, if(isnull({second}), 0, if({first} == {second}, {first}, 0)))"


def run(params: ReclassParams, out: Path) -> ReclassResult:
    """Write `classes.tif`. Raises `unknown_label`, `bad_labels`, `grid_mismatch`."""
    source = local_path(params.codes)
    with open_raster(source) as dataset:
        grid = grid_of(dataset)
    with open_project(grid, params.execution) as project:
        _reclass(project, params.codes, "first", rules_text(params.rules, params.custom_rules))
        expression = agreement("first", "first")
        if params.second_codes is not None:
            _require_same_grid(params.second_codes, grid)
            rules = rules_text(params.second_rules, params.second_custom_rules)
            _reclass(project, params.second_codes, "second", rules)
            expression = agreement("first", "second")
        project.run("r.mapcalc", expression=f"classes = {expression}")
        counts = _counts(project, "classes")
        path = project.export("classes", out / "classes.tif", nodata=LandCover.UNKNOWN)
    return ReclassResult(classes=output_file(path), counts=counts)


def _reclass(project: Project, codes: File, name: str, rules: str) -> None:
    project.link(local_path(codes), f"{name}_codes")
    try:
        project.run("r.reclass", input=f"{name}_codes", output=name, rules="-", stdin=rules)
    except GrassError as error:
        raise StepError(
            "bad_labels", f"r.reclass refuses the rules: {error}", "Correct the rule that is named."
        ) from error
    if missing := unmapped(project.run("r.stats", "c", input=[f"{name}_codes", name], separator="comma")):
        raise _unknown_label(codes, missing)
    if strange := set(_counts(project, name)) - set(LandCover):
        raise StepError(
            "bad_labels",
            f"The rules lead to the classes {sorted(strange)}, which the legend does not have.",
            f"Use {', '.join(f'{cover.value} {cover.name.lower()}' for cover in LandCover)}.",
        )


def _counts(project: Project, name: str) -> dict[int, int]:
    lines = project.run("r.stats", "cn", input=name, separator="comma").split()
    return {int(value): int(cells) for value, cells in (line.split(",") for line in lines)}


def _unknown_label(codes: File, missing: dict[int, int]) -> StepError:
    common = sorted(missing, key=lambda code: -missing[code])
    listed = ", ".join(f"{code} ({missing[code]} cells)" for code in common[:_SHOWN])
    more = f" and {len(common) - _SHOWN} more" if len(common) > _SHOWN else ""
    return StepError(
        "unknown_label",
        f"{codes.name} holds codes without a rule: {listed}{more}.",
        "Add a rule for each; a code that means no label gets the rule `code = 0 unknown`.",
    )


def _require_same_grid(codes: File, grid: Grid) -> None:
    with open_raster(local_path(codes)) as dataset:
        require_grid(dataset, grid)


if __name__ == "__main__":
    main(ReclassParams, run)
