"""First version of the calculations. A closed run names it: change nothing here that changes a byte, add `v2`."""
