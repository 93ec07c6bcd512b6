"""Employees, departments and legal entities of a company."""
