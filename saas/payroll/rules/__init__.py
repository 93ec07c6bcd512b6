"""The pure rules of payroll: from a structure and frozen inputs to a payslip, from payslips to totals and a plan."""
