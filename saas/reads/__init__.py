"""The compiled reader: a selection becomes one SQL statement that returns JSON text."""
