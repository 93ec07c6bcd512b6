"""What is done with customers: follow-ups, opportunities, deals, collections, and whose performance they are.

Lines of performance are the one base of leaderboards and commission; they follow from deals, credits and collections,
are written with them, and are never edited.
"""

from saas.sales.actions.collections import enter_collections, record_collection, record_refund
from saas.sales.actions.deal_changes import cancel_deal, set_credits
from saas.sales.actions.deals import enter_deal, enter_deals
from saas.sales.actions.follow_ups import create_follow_up
from saas.sales.actions.import_collections import CollectionImport
from saas.sales.actions.import_credits import CreditImport
from saas.sales.actions.import_deals import DealImport
from saas.sales.actions.import_follow_ups import FollowUpImport
from saas.sales.actions.import_opportunities import OpportunityImport
from saas.sales.actions.import_targets import TargetImport
from saas.sales.actions.opportunities import enter_opportunities, enter_opportunity, move_opportunity
from saas.sales.actions.stages import create_first_stages
from saas.sales.actions.targets import set_target, set_targets
from saas.sales.events import (
    COLLECTION_RECORDED,
    DEAL_CANCELLED,
    DEAL_CREDITED,
    DEAL_ENTERED,
    FOLLOW_UP_RECORDED,
    OPPORTUNITY_ENTERED,
    OPPORTUNITY_MOVED,
    REFUND_RECORDED,
    TARGET_SET,
    TOPICS,
)
from saas.sales.figure_queries import (
    CustomerFigures,
    find_customer_figures,
    find_open_opportunities,
    find_worked_on,
)
from saas.sales.history_queries import (
    Achieved,
    SignedDeal,
    Touch,
    find_standing_deals,
    find_touches,
    sum_achieved,
    sum_collected,
)
from saas.sales.queries import (
    find_activity,
    find_deal_by_external_key,
    find_expected_on,
    find_visible_deals,
    find_won,
    median_expected,
)
from saas.sales.reads import FOLLOW_UP_KIND, TARGET_METRIC, reads
from saas.sales.rules.collections import NewCollection
from saas.sales.rules.credits import CreditPart, split
from saas.sales.rules.deals import NewDeal
from saas.sales.rules.entries import Entered, Outcome
from saas.sales.rules.opportunities import NewOpportunity
from saas.sales.rules.targets import NewTarget, attainment, prorated, shown_attainment

__all__ = [
    "COLLECTION_RECORDED",
    "DEAL_CANCELLED",
    "DEAL_CREDITED",
    "DEAL_ENTERED",
    "FOLLOW_UP_KIND",
    "FOLLOW_UP_RECORDED",
    "OPPORTUNITY_ENTERED",
    "OPPORTUNITY_MOVED",
    "REFUND_RECORDED",
    "TARGET_METRIC",
    "TARGET_SET",
    "TOPICS",
    "Achieved",
    "CollectionImport",
    "CreditImport",
    "CreditPart",
    "CustomerFigures",
    "DealImport",
    "Entered",
    "FollowUpImport",
    "NewCollection",
    "NewDeal",
    "NewOpportunity",
    "NewTarget",
    "OpportunityImport",
    "Outcome",
    "SignedDeal",
    "TargetImport",
    "Touch",
    "attainment",
    "cancel_deal",
    "create_first_stages",
    "create_follow_up",
    "enter_collections",
    "enter_deal",
    "enter_deals",
    "enter_opportunities",
    "enter_opportunity",
    "find_activity",
    "find_customer_figures",
    "find_deal_by_external_key",
    "find_expected_on",
    "find_open_opportunities",
    "find_standing_deals",
    "find_touches",
    "find_visible_deals",
    "find_won",
    "find_worked_on",
    "median_expected",
    "move_opportunity",
    "prorated",
    "reads",
    "record_collection",
    "record_refund",
    "set_credits",
    "set_target",
    "set_targets",
    "shown_attainment",
    "split",
    "sum_achieved",
    "sum_collected",
]
