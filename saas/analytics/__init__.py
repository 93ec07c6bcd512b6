"""History as people read it: the audit trail today; behaviour and comparison stand here too.

The trail itself is written and verified by `saas.audit`; this room only maps it for reading.
"""

from saas.analytics.reads import reads

__all__ = ["reads"]
