"""The page that every flow's report is: it stands alone, with no script, no request, and its pictures inside."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.ledger import Row
from tasks.publishing.headlines import number
from tasks.publishing.product import Product
from tasks.publishing.table_files import Column

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
EMBEDDED_BYTES: Final = 4_200_000
"""Bytes of pictures, as they stand in the page, beyond which a picture is only linked."""
_MAX_REFUSALS: Final = 100
_MEDIA_TYPES: Final = {".png": "image/png", ".gif": "image/gif"}


class Illustration(NamedTuple):
    """A picture of the product's folder."""

    section: str
    name: str
    caption: str
    path: Path


class Shown(NamedTuple):
    """A picture as the page holds it: inside (a data URI), or a link to the file beside it."""

    source: str
    caption: str
    embedded: bool


def render_page(
    template: str,
    product: Product,
    *,
    illustrations: Iterable[Illustration],
    ledger: Sequence[Row],
    columns: Sequence[Column],
    **own: Any,
) -> str:
    """The page of a template that extends `page.html.j2`. Everything that comes from data is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment.get_template(template).render(
        product=product,
        years=_span(product),
        pictures=_by_section(illustrations),
        columns=columns,
        ledger=Counter(row.status for row in ledger),
        codes=Counter((row.status, row.code) for row in ledger if row.code),
        refusals=[row for row in ledger if row.code][:_MAX_REFUSALS],
        parameters=dict(flattened(product.parameters)),
        **own,
    )


def embed(illustrations: Iterable[Illustration], budget: int = EMBEDDED_BYTES) -> Iterator[tuple[str, Shown]]:
    """Section and picture, in order; those that do not fit the budget are linked to `pictures/<name>.png`."""
    for illustration in illustrations:
        size = (illustration.path.stat().st_size + 2) // 3 * 4
        is_embedded = size <= budget
        if is_embedded:
            budget -= size
            source = data_uri(illustration.path)
        else:
            source = f"pictures/{illustration.name}{illustration.path.suffix}"
        yield illustration.section, Shown(source, illustration.caption, is_embedded)


def data_uri(picture: Path) -> str:
    """A PNG or GIF file as text."""
    return f"data:{_MEDIA_TYPES[picture.suffix]};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def _by_section(illustrations: Iterable[Illustration]) -> dict[str, list[Shown]]:
    sections: dict[str, list[Shown]] = {}
    for section, shown in embed(illustrations):
        sections.setdefault(section, []).append(shown)
    return sections


def _span(product: Product) -> str:
    first, last = product.periods[0].start.year, product.periods[-1].end.year
    return str(first) if first == last else f"{first}–{last}"


def flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """`{"a": {"b": 1}}` as ("a.b", "1"); long values are cut."""
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from flattened(inner, f"{prefix}{name}.")
        else:
            text = ", ".join(map(str, inner)) if isinstance(inner, list | tuple) else str(inner)
            yield f"{prefix}{name}", text if len(text) <= 400 else f"{text[:400]}…"
