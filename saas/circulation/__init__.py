"""Performance-driven circulation: old customers that decline, and the periodic assessment of what reps hold.

Both are judged by pure rules against a policy of the pool; what they decide is warned of, appealed against and carried
out through the customers room, and explains itself.
"""

from saas.circulation.events import TOPICS
from saas.circulation.reads import reads

__all__ = ["TOPICS", "reads"]
