"""Payslips by the thousand: what is the same in all of them is written once, what differs is filled in.

Most of a payslip's bytes follow from its structure, its pack and a few decisions (which case of a formula applied,
whether a bound cut in): titles, keys, sentences, nesting. So the canonical text of each line is made once for each set
of decisions, with marks where values stand, by the code that explains it anyway; a person's line is those pieces with
that person's values between them. No tree is built and nothing is sorted again.

`saas.payroll.rules.v1` says what a payslip is: these texts are its texts, byte by byte, and tests compare the two.
Whatever is not foreseen here is left to it: a payslip that fails, a pack that does not write its lines, a person of
whom the pack says so.
"""

from saas.payroll.rules.compiled.payslips import PayslipWriter, WrittenPayslip, payslip_writer

__all__ = ["PayslipWriter", "WrittenPayslip", "payslip_writer"]
