"""Industry presets: what a company begins with, chosen at sign-up. Everything in one may be changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tenants.errors import PresetUnknown
from tenants.quotas import QuotaKind


@dataclass(frozen=True, slots=True)
class Preset:
    """The beginning of a company.

    `plugins` are enabled with their default settings where they are installed; `quotas` limit a plan.
    """

    name: str
    title: Mapping[str, str]
    time_zone: str = "Asia/Shanghai"
    locale: str = "zh-CN"
    plugins: tuple[str, ...] = ()
    quotas: Mapping[QuotaKind, int] = field(default_factory=lambda: MappingProxyType({}))


GENERAL = Preset("general", {"en": "General sales", "zh-CN": "通用销售"})
REALTY = Preset("realty", {"en": "Real estate", "zh-CN": "房地产"}, plugins=("realty",))
INSURANCE = Preset("insurance", {"en": "Insurance", "zh-CN": "保险"})
SOFTWARE = Preset("software", {"en": "Software and services", "zh-CN": "软件与服务"})
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (GENERAL, REALTY, INSURANCE, SOFTWARE)}
)


def get_preset(name: str) -> Preset:
    """The preset of that name.

    :raises PresetUnknown: there is none; the error lists those there are.
    """
    preset = PRESETS.get(name)
    if preset is None:
        raise PresetUnknown(name, known=tuple(PRESETS))
    return preset
