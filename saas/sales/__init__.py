"""What is done with customers: follow-ups today; opportunities, deals and collections stand here too.

Each follow-up keeps the customer's last one up to date, from which neglect is judged.
"""

from saas.sales.actions.follow_ups import create_follow_up
from saas.sales.actions.stages import create_first_stages
from saas.sales.events import FOLLOW_UP_RECORDED, TOPICS
from saas.sales.reads import FOLLOW_UP_KIND, reads

__all__ = ["FOLLOW_UP_KIND", "FOLLOW_UP_RECORDED", "TOPICS", "create_first_stages", "create_follow_up", "reads"]
