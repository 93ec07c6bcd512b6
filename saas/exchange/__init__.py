"""A company's own sheets: read, checked, shown as a preview, taken over, taken back."""
