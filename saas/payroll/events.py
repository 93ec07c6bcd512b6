"""What happens in payroll, for whoever listens; and the steps by which long work goes on."""

from __future__ import annotations

from saas.events import EventTopic

INPUTS_AWAITED = EventTopic("payroll.inputs_awaited", "A run has people whose inputs are not frozen yet: run_id.")
PAYSLIPS_AWAITED = EventTopic("payroll.payslips_awaited", "A run has payslips or totals to be computed: run_id, after.")
PAYSLIPS_PUBLISHED = EventTopic("payroll.payslips_published", "A run's payslips can be read by their people: run_id.")

TOPICS = (INPUTS_AWAITED, PAYSLIPS_AWAITED, PAYSLIPS_PUBLISHED)
