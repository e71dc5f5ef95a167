"""A plan as report, workbook and layers; nothing that is a result is computed here."""

from planner.report.answer import answer_rows
from planner.report.check import write_check
from planner.report.html import write_report
from planner.report.layers import write_sites
from planner.report.workbook import write_workbook

__all__ = ["answer_rows", "write_check", "write_report", "write_sites", "write_workbook"]
