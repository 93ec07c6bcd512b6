"""The figures of laws and notices, as dated rows. Rows are added, never edited: a closed run may stand on them."""
