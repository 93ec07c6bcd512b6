"""Permissions, roles and data scope: Casbin policy per tenant, compiled to an access table."""
