"""China (中国): the country pack for payroll. Income tax, social insurance, housing fund, calendar, limits of wages."""

from __future__ import annotations

from plugins.china.hooks import pack_terms, statutory_lines, statutory_writer
from plugins.china.settings import Settings
from saas.sdk import Manifest

__all__ = ["manifest", "pack_terms", "statutory_lines", "statutory_writer"]

manifest = Manifest(
    name="china",
    version="1.0.0",
    api="1.x",
    title={"en": "Payroll in China", "zh-CN": "中国薪酬"},
    package=__name__,
    settings=Settings,
)
