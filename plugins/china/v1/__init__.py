"""First version of the calculations. A closed run names it: change nothing here that changes an amount, add `v2`."""
