"""The hooks by which a country pack takes part in payroll, and how a run asks its pack.

Facts and results are plain values; a pack sees no database. Each hook here has a plugin that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from saas.customers.hooks import Refusal
from saas.extensions import PluginHost, TenantPlugins, dump_settings, hookspec, parse_settings
from saas.kernel import Period, RuleRefused
from saas.payroll.errors import PackMissing
from saas.payroll.rules.packs import Pack, PackResult, PackTask, PackTerms, PayFacts, StatutoryWriter
from saas.payroll.rules.plans import RunPins


class PayrollHooks:
    """Specifications of the payroll room's hooks."""

    @hookspec
    def pack_terms(self, period: Period, legal_entity_id: UUID, settings: Any) -> PackTerms | Refusal | None:
        """What the pack says of a period when a run is opened; None where it does not answer for the legal entity.

        A refusal keeps the run from being opened. Pure. `settings` are the plugin's own, as of the period's last day.
        """

    @hookspec
    def statutory_lines(self, facts: PayFacts, settings: Any) -> PackResult | Refusal | None:
        """The statutory lines of one payslip; None where the pack does not answer for the legal entity.

        A refusal fails this payslip and no other. Pure: by the version of the calculations that `facts` name, equal
        facts and settings give equal lines for ever. `settings` are those that the run froze.
        """

    @hookspec
    def statutory_writer(self, task: PackTask, settings: Any) -> StatutoryWriter | None:
        """What writes the statutory lines of all people of one run by forms, and faster; None where nothing does.

        It gives the lines of `statutory_lines`, byte by byte, or None of a person: the other hook is asked then.
        """


@dataclass(frozen=True, slots=True)
class ChosenPack:
    """The pack that answers for a legal entity, and its terms."""

    name: str
    terms: PackTerms


def choose_pack(
    host: PluginHost, enabled: TenantPlugins, *, period: Period, legal_entity_id: UUID
) -> ChosenPack | None:
    """The one enabled pack that answers for the legal entity in the period; None where none does.

    :raises RuleRefused: the pack refuses, in its own words.
    :raises PackMissing: two packs answer.
    :raises PluginFailed: a plugin failed; :raises PluginUnusable: one can't be asked.
    """
    answers = host.each("pack_terms", enabled, period=period, legal_entity_id=legal_entity_id)
    found = [(name, answer) for name, answer in answers if answer is not None]
    if len(found) > 1:
        raise PackMissing("payroll.two_packs", {"first": found[0][0], "second": found[1][0]})
    for name, answer in found:
        if isinstance(answer, Refusal):
            raise RuleRefused(answer.key, answer.args)
        return ChosenPack(name, answer)
    return None


def pins_of(host: PluginHost, enabled: TenantPlugins, chosen: ChosenPack | None, *, calculation: str) -> RunPins:
    """What a run pins: the versions, and the pack's settings as they are now."""
    if chosen is None:
        return RunPins(calculation, None, None, None, None)
    settings: Mapping[str, Any] = dump_settings(enabled.settings[chosen.name])
    version = host.manifest(chosen.name).version
    return RunPins(calculation, chosen.name, version, chosen.terms.calculation, settings)


def pack_of(host: PluginHost, pins: RunPins) -> Pack | None:
    """The pack of a run, asked with the settings that the run pinned.

    :raises PackMissing: it is not installed any more.
    :raises SettingRefused: the settings don't fit the installed version.
    """
    if pins.pack is None:
        return None
    name = pins.pack
    if name not in host.manifests:
        raise PackMissing("payroll.pack_missing", {"pack": name, "version": pins.pack_version or ""})
    enabled = TenantPlugins({name: parse_settings(host.manifest(name).settings, pins.pack_settings or {})})

    def statutory(facts: PayFacts) -> PackResult:
        for _, answer in host.each("statutory_lines", enabled, facts=facts):
            if isinstance(answer, Refusal):
                raise RuleRefused(answer.key, answer.args)
            if answer is not None:
                return answer  # type: ignore[no-any-return]
        raise PackMissing("payroll.pack_silent", {"pack": name})

    def writer(task: PackTask) -> StatutoryWriter | None:
        for _, answer in host.each("statutory_writer", enabled, task=task):
            if answer is not None:
                return StatutoryWriter(host.guarded(name, "statutory_writer", answer.write))
        return None

    return Pack(name, pins.pack_version or "", pins.pack_calculation or "", statutory, writer)
