"""The plugin host: discovery, per-tenant enabling and settings, hooks."""
