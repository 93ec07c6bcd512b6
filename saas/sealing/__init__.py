"""Sealed values: envelope encryption per tenant and data class, masked forms, blind indexes."""
