"""Payroll: salary structures, pay periods, and runs that freeze inputs, compute payslips and publish them.

What is previewed is what is paid: two people agree on a plan hash over every input, version and payslip.
"""

from saas.payroll.hooks import PayrollHooks

__all__ = ["PayrollHooks"]
