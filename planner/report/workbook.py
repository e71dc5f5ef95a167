"""The workbook: a summary sheet and the tables behind it, ready to sort, filter and print."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter

from planner.report.figures import data_text, read_figures
from planner.report.register import register_line
from planner.report.sheets import make_sheets
from planner.report.story import bullets, circle_line, four_facts, headline, silences
from planner.report.svg import text_width
from planner.report.words import basis_line, is_number, speak

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.plan import Plan
    from planner.report.sheet import Field, Sheet
    from planner.report.words import Words

_FONT = "Microsoft YaHei"
_MOST_TEXT = 32_766  # and a sign that it goes on: a cell holds 32,767 characters
_SPARE_ROWS = 200  # below a table, for rows that planners add
_NO_DATE = date(2000, 1, 1)
_WIDEST = 60.0

_LOOKS: dict[str, dict[str, Any]] = {
    "text": {"text_wrap": True},
    "entry": {"text_wrap": True, "num_format": "@"},
    "share": {"num_format": "0.0%"},
    "measure": {"num_format": "#,##0.0"},
    "count": {"num_format": "#,##0"},
    "degrees": {"num_format": "0.000000"},
    "points": {"num_format": "+0.0;−0.0;0.0"},
    "number": {"num_format": "General"},
}
_TINT = "#FBE9DD"  # vermillion on white, one part in seven: the recommended rows


def write_workbook(plan: Plan, path: Path | str) -> Path:
    """Write a plan's tables as a workbook (``.xlsx``), in the study's language.

    Parameters
    ----------
    plan
        A finished run; the same plan gives the same bytes, the date inside is the data's.
    path
        Where to; replaced at once if it exists. Every text is written as text: none becomes a
        formula or a link.

    Returns
    -------
    The path.
    """
    path = Path(path)
    w = speak(plan.settings.study.language)
    fresh = path.with_name(f".{path.name}.new")
    book = xlsxwriter.Workbook(
        str(fresh),
        {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
         "nan_inf_to_errors": False},
    )  # fmt: skip
    try:
        created = datetime.combine(_data_date(plan), datetime.min.time(), tzinfo=UTC)
        title = w.t("{study} · station plan", study=plan.summary["study"])
        book.set_properties({"title": title, "created": created.replace(tzinfo=None)})
        pages = _Pages(book, data_text(plan, w), w)
        sheets = make_sheets(plan, w)
        pages.add_summary(plan, sheets)
        for sheet in sheets:
            pages.add_table(sheet)
    finally:
        book.close()
    return fresh.replace(path)


class _Pages:
    """The sheets of one workbook, its formats and what every page says at its foot."""

    def __init__(self, book: Any, footer: str, w: Words) -> None:
        self.book, self.footer, self.w = book, footer, w
        self.formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def look(self, **properties: Any) -> Any:
        """Return a format, each kind made once."""
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            whole = {"font_name": _FONT, "font_size": 10, "valign": "top", **properties}
            self.formats[key] = self.book.add_format(whole)
        return self.formats[key]

    def add_summary(self, plan: Plan, sheets: list[Sheet]) -> None:
        """Write the first sheet: headline, figures, sentences, and links to the others."""
        w, f = self.w, read_figures(plan)
        page = self._new(w.t("Summary"))
        page.set_column(0, 0, 34)
        page.set_column(1, 1, 86)
        said, grey = self.look(text_wrap=True), self.look(font_color="#616E7C", text_wrap=True)
        bold = self.look(bold=True, font_size=11, bottom=1)
        page.set_row(0, 30)
        page.write_string(0, 0, _cell(headline(plan, f, w)), self.look(bold=True, font_size=18))
        page.write_string(1, 0, _cell(data_text(plan, w)), self.look(font_color="#616E7C"))
        basis = " · ".join(filter(None, [basis_line(plan, w), circle_line(f, w)]))
        page.write_string(2, 0, _cell(basis), self.look(font_color="#616E7C"))
        row = 4
        for fact in four_facts(f, w):
            page.write_string(row, 0, _cell(fact.label), grey)
            page.write_string(row, 1, _cell(fact.value), self.look(bold=True, font_size=12))
            row += 1
        for heading, lines in (
            (w.t("In short"), [*bullets(plan, f, w), *filter(None, [register_line(plan, w)])]),
            (w.t("What it does not say"), silences(plan, f, w)),
        ):
            row += 1
            page.write_string(row, 0, heading, bold)
            page.write_blank(row, 1, None, bold)
            for line in lines:
                row += 1
                page.merge_range(row, 0, row, 1, "", said)
                page.write_string(row, 0, _cell(line), said)
                page.set_row(row, 15.0 * _lines(line, 118.0))
            row += 1
        row += 1
        page.write_string(row, 0, w.t("Sheets"), bold)
        page.write_blank(row, 1, None, bold)
        link = self.look(font_color="#0072B2", underline=1)
        for sheet in sheets:
            row += 1
            page.write_url(row, 0, f"internal:'{sheet.name}'!A1", link, string=sheet.name)
            page.write_string(row, 1, _cell(sheet.about), grey)
        page.print_area(0, 0, row, 1)

    def add_table(self, sheet: Sheet) -> None:
        """Write one table: a line on its basis, the header with units, the rows."""
        page = self._new(sheet.name)
        head = {"bold": True, "text_wrap": True, "bottom": 1, "top": 1, "valign": "vcenter"}
        page.set_row(1, 32)
        widths = [_width(field, sheet.rows, column) for column, field in enumerate(sheet.fields)]
        shown = [width for width, field in zip(widths, sheet.fields, strict=True)
                 if not field.hidden]  # fmt: skip
        self._write_basis(page, sheet.basis, shown)
        for column, field in enumerate(sheet.fields):
            beside = _indent(column) if field.is_text else {"align": "right"}
            page.write_string(1, column, _cell(field.head), self.look(**head, **beside))
            page.set_column(column, column, widths[column], None, _fold(field))
        for number, values in enumerate(sheet.rows):
            seen = [v for v, f in zip(values, sheet.fields, strict=True) if not f.hidden]
            page.set_row(number + 2, 15.0 * _row_lines(seen, shown))
            for column, (field, value) in enumerate(zip(sheet.fields, values, strict=True)):
                self._write(page, number + 2, column, value, field, tinted=sheet.tinted)
        page.freeze_panes(2, sheet.frozen)
        last = max(len(sheet.rows) + 1, 2)
        page.autofilter(1, 0, last, len(sheet.fields) - 1)
        page.repeat_rows(1)
        page.print_area(0, 0, last, len(shown) - 1)
        self._offer_choices(page, sheet, last + _SPARE_ROWS)

    def _offer_choices(self, page: Any, sheet: Sheet, last: int) -> None:
        """Let a cell to fill in take nothing but its choices."""
        for column, field in enumerate(sheet.fields):
            if field.choices:
                said = self.w.t("Choose one of the list: {words}", words=" · ".join(field.choices))
                page.data_validation(
                    2, column, last, column,
                    {"validate": "list", "source": list(field.choices), "error_message": said,
                     "error_title": field.head},
                )  # fmt: skip

    def _write_basis(self, page: Any, basis: str, widths: list[float]) -> None:
        """Write the grey line above a table, in as many lines as the table's width asks for."""
        look = self.look(font_color="#616E7C", font_size=9, text_wrap=True)
        lines = _lines(basis, 1.1 * sum(widths))  # the type is smaller
        if lines > 1 and len(widths) > 1:
            page.merge_range(0, 0, 0, len(widths) - 1, "", look)
            page.set_row(0, 13.0 * lines)
        else:
            look = self.look(font_color="#616E7C", font_size=9)
        page.write_string(0, 0, _cell(basis), look)

    def _write(
        self, page: Any, row: int, column: int, value: Any, field: Field, *, tinted: bool
    ) -> None:
        """Write one value; whatever is no number where one is wanted is written as text."""
        properties = dict(_LOOKS[field.look], bottom=4, bottom_color="#D5D8DC")
        if tinted and field.look != "entry":
            properties["bg_color"] = _TINT
        if field.is_text:
            properties |= _indent(column)
        look = self.look(**properties)
        if value is None or not (field.is_text or is_number(value)):
            page.write_blank(row, column, None, look)
        elif field.is_text:
            page.write_string(row, column, _cell(value), look)
        else:
            page.write_number(row, column, float(value), look)

    def _new(self, name: str) -> Any:
        page = self.book.add_worksheet(name)
        page.hide_gridlines(2)
        page.set_landscape()
        page.set_paper(9)
        page.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.8)
        page.fit_to_pages(1, 0)
        said = self.footer.replace("&", "&&")[:120]
        page.set_footer(f"&L&9{_after_size(said)}&R&9&P / &N")
        return page


def _fold(field: Field) -> dict[str, Any]:
    """Return what folds away a column that is for the next run; the sign above opens it."""
    return {"hidden": True, "level": 1} if field.hidden else {}


def _indent(column: int) -> dict[str, Any]:
    """Return what keeps a text off the number to its left."""
    return {"align": "left", "indent": 1} if column else {"align": "left"}


def _after_size(text: str) -> str:
    """Keep digits that follow a font size in a footer from being read as part of it."""
    return f" {text}"


def _cell(value: Any) -> str:
    """Return a text that fits a cell."""
    text = str(value)
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"


def _lines(text: str, width: float) -> int:
    return sum(max(1, -int(-_columns(line) // width)) for line in text.split("\n"))


def _row_lines(values: Sequence[Any], widths: Sequence[float]) -> int:
    """Return how many lines a row needs, its longest text wrapped."""
    pairs = zip(values, widths, strict=True)
    return max(_lines(v, width - 2.0) if isinstance(v, str) else 1 for v, width in pairs)


def _columns(text: str) -> float:
    """Return about how many columns of an ordinary digit a text takes."""
    return text_width(text, 1.0) * 1.85


def _width(field: Field, rows: list[tuple[Any, ...]], column: int) -> float:
    """Return a column's width: its texts', else its header's in two lines."""
    head = _columns(field.head) / (1.0 if field.is_text else 2.0) + 3.0
    if field.width:
        return field.width
    if not field.is_text:
        return max(8.5, min(head, 14.0))
    longest = max((_columns(str(r[column])) for r in rows if r[column] is not None), default=0.0)
    return max(8.0, min(max(head, longest + 2.0) + 1.5, field.most or _WIDEST))


def _data_date(plan: Plan) -> date:
    last: Mapping[str, Any] = plan.summary["demand"]
    return date.fromisoformat(str(last["last_day"])) if last.get("last_day") else _NO_DATE
