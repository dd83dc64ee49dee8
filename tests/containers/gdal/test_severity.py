"""Severity classes by an obvious rule, the tables that are shipped, and tables that are refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from containers.base.contract.step import StepError
from containers.gdal.contract.burn import BurnRules, SeverityTable
from containers.gdal.severity import TABLES, burned_code, colours_of, names_of, severity_codes, table_of

SHIPPED = ("dnbr", "rbr", "dndvi")


def one(name, low, high, **more):
    return {"name": name, "low": low, "high": high, **more}


def slow_class(value: float, table: SeverityTable) -> str:
    """In words: the class whose low is reached and whose high is not, or is the last."""
    if math.isnan(value):
        return "unknown"
    value = round(value, 4)
    for cls in table.classes:
        if cls.low <= value < cls.high or (cls is table.classes[-1] and value == cls.high):
            return cls.name
    return "unknown"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHIPPED), st.lists(st.floats(-2.5, 2.5, width=32) | st.just(math.nan), min_size=1))
def test_values_fall_into_the_class_of_the_rule_in_words(index, values) -> None:
    table = table_of(BurnRules(index=index))
    names = {0: "unknown"} | names_of(table)
    # Values half-way between two decimals may round either way.
    values = [value for value in values if math.isnan(value) or abs(value * 1e4 % 1 - 0.5) > 1e-3]
    found = severity_codes(np.array(values, np.float32), table)
    assert [names[code] for code in found] == [slow_class(value, table) for value in values]


@pytest.mark.parametrize(
    ("index", "value", "name"),
    [
        ("dnbr", 0.0999, "unburned"),
        ("dnbr", 0.09996, "low"),
        ("dnbr", 0.1, "low"),
        ("dnbr", 0.2699, "low"),
        ("dnbr", 0.27, "moderate_low"),
        ("dnbr", 0.66, "high"),
        ("dnbr", 2.0, "high"),
        ("dnbr", -0.1, "unburned"),
        ("dnbr", -0.1001, "regrowth_low"),
        ("dndvi", 0.0899, "unburned"),
        ("dndvi", 0.09, "low"),
        ("dndvi", 0.14, "moderate"),
        ("dndvi", 0.22, "high"),
        ("dndvi", 0.34, "very_high"),
        ("dndvi", 0.44, "extreme"),
        ("dndvi", -1.001, "unknown"),
        ("rbr", -1999.9, "regrowth_high"),
    ],
)
def test_bounds_of_the_shipped_tables(index, value, name) -> None:
    table = table_of(BurnRules(index=index))
    code = int(severity_codes(np.array([value], np.float32), table)[0])
    assert ({0: "unknown"} | names_of(table))[code] == name


def test_the_table_of_rbr_is_derived_from_that_of_dnbr() -> None:
    """At NBR 0.5 before the fire, as its comment says; the outer ends aside."""
    dnbr, rbr = (table_of(BurnRules(index=index)).classes for index in ("dnbr", "rbr"))
    assert [cls.name for cls in dnbr] == [cls.name for cls in rbr]
    for plain, relative in zip(dnbr[:-1], rbr[:-1], strict=True):
        assert relative.high == round(plain.high / 1.501, 4)


@pytest.mark.parametrize("index", SHIPPED)
def test_colours_of_burned_classes_darken(index) -> None:
    from matplotlib.colors import to_rgb

    table = table_of(BurnRules(index=index))
    colours = colours_of(table)
    burned = [colours[code] for code in sorted(colours) if code >= burned_code(table, "low")]
    luminance = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(to_rgb, burned)]
    assert luminance == sorted(luminance, reverse=True)
    assert min(-np.diff(luminance)) > 0.05


def test_a_table_of_ones_own_is_used_and_gets_colours() -> None:
    own = {"classes": [one("none", -2, 0.2), one("burned", 0.2, 2)]}
    table = table_of(BurnRules(own_table=own, burned_from="burned"))
    assert severity_codes(np.float32([0.1, 0.2, np.nan, 3]), table).tolist() == [1, 2, 0, 0]
    assert len(set(colours_of(table).values())) == 2


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([one("a", 0, 0.2), one("b", 0.3, 1)], "class b begins at 0.3, a ends at 0.2"),
        ([one("a", 0, 0.4), one("b", 0.3, 1)], "class b begins at 0.3, a ends at 0.4"),
        ([one("a", 0.2, 0), one("b", 0, 1)], "low=0.2 must be below high=0.0"),
        ([one("a", 0, 0.2), one("a", 0.2, 1)], "classes occur twice: ['a']"),
        ([one("a", 0, 0.2)], "at least 2 items"),
        ([one("a", 0, float("inf")), one("b", 0.2, 1)], "less than or equal to 1000000"),
        ([one("a", 0, 0.2), one("b", 0.2, 1, colour="red")], "colour"),
    ],
)
def test_tables_that_do_not_divide_the_values_are_refused(classes, words) -> None:
    with pytest.raises(ValidationError, match=r".*") as raised:
        BurnRules(own_table={"classes": classes}, burned_from="b")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"median_px": 4}, "must be odd"),
        ({"table": "dnbr", "own_table": {"classes": [one("a", 0, 1), one("b", 1, 2)]}}, "not both"),
        ({"own_table": {"classes": [one("a", 0, 1), one("b", 1, 2)]}}, "burned_from='low' is no class of own_table"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(rules, words) -> None:
    with pytest.raises(ValidationError, match=words):
        BurnRules(**rules)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"table": "nbr2"}, "no severity table 'nbr2'"),
        ({"table": "dndvi"}, "'dndvi' is for dndvi, not for dnbr"),
        ({"burned_from": "severe"}, "burned_from='severe' is no class"),
    ],
)
def test_rules_that_name_what_there_is_not_are_refused(rules, words) -> None:
    with pytest.raises(StepError) as raised:
        table_of(BurnRules(**rules))
    assert raised.value.code == "bad_config"
    assert words in raised.value.reason


def test_a_spoilt_file_of_tables_is_refused(tmp_path) -> None:
    path = tmp_path / "tables.toml"
    path.write_text(TABLES.read_text().replace("low = 0.27, high = 0.44", "low = 0.28, high = 0.44"))
    with pytest.raises(StepError) as raised:
        table_of(BurnRules(), path)
    assert raised.value.code == "bad_config"
    assert "moderate_low begins at 0.28, low ends at 0.27" in raised.value.reason
