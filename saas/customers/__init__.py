"""Customers, their ownership, and the pool (公海) they wait in.

A customer is at any moment pooled or owned; every change of owner is a row of the ownership history.
"""

from saas.customers.actions.allocations import cancel_allocation, commit_allocation
from saas.customers.actions.answers import (
    DrawCertificate,
    draw_certificate,
    explain_allocation,
    list_allocation_problems,
    own_certificate,
)
from saas.customers.actions.arrivals import try_waiting_again
from saas.customers.actions.claim_batches import claim_customers
from saas.customers.actions.claiming import ClaimGuard, claim_customer
from saas.customers.actions.customers import Entered, create_customer, note_follow_up
from saas.customers.actions.dry_run_reports import (
    DryRunReport,
    StoredDryRun,
    get_dry_run,
    list_dry_run_customers,
    list_dry_run_people,
    start_dry_run,
)
from saas.customers.actions.dry_running import SettingsWish, dry_run_settings
from saas.customers.actions.due_dates import (
    Activity,
    ActivitySource,
    Asked,
    note_declines,
    note_last_deals,
    settle_due,
)
from saas.customers.actions.giving import Given
from saas.customers.actions.handovers import assign_customer, transfer_customer
from saas.customers.actions.import_ownerships import OwnershipImport
from saas.customers.actions.imports import CustomerImport
from saas.customers.actions.last_follow_ups import note_follow_ups, restore_last_follow_ups
from saas.customers.actions.ledger import tell_readers_with
from saas.customers.actions.levels import change_level
from saas.customers.actions.marking import Marking
from saas.customers.actions.needs import CustomerNeeds, set_customer_needs
from saas.customers.actions.plans import plan_allocation
from saas.customers.actions.pool_moves import move_customers
from saas.customers.actions.pool_versions import apply_begun_settings
from saas.customers.actions.pools import close_pool, configure_pool, create_default_pool, create_pool
from saas.customers.actions.proposals import PoolProposals, dry_run_proposal
from saas.customers.actions.reclaiming import (
    LockedHolding,
    ReclaimWarning,
    lock_holding,
    reclaim_customer,
    rotate_customers,
    warn_of_reclaim,
)
from saas.customers.actions.recycling import Near, Recycled, foresee_recycling, recycle_due_customers
from saas.customers.actions.releasing import release_customer, release_customers
from saas.customers.actions.requests import OwnershipRequests
from saas.customers.actions.separations import Left, Separation, find_leavers
from saas.customers.actions.standings import Credit, LevelStanding, credit_back, set_employee_traits, set_level_standing
from saas.customers.actions.viewing import count_pool_views
from saas.customers.actions.wishes import AllocationWish, OnChange, Participant
from saas.customers.administrators import count_pools_left_by, find_administrations
from saas.customers.allocation import MatchPlan, Method, PerformancePlan, Trait, TraitKind
from saas.customers.allocation_reads import ALLOCATION_METHOD, CREDIT_KIND, TRAIT_KIND
from saas.customers.arrival_jobs import ArrivalAlerts, ArrivalJobs
from saas.customers.automation import job_actor
from saas.customers.claim_queries import foresee_claim
from saas.customers.columns import CUSTOMER_KEY, CUSTOMER_NAME, OWNER, CustomerBook, find_customers
from saas.customers.events import (
    ARRIVALS_AWAITED,
    ARRIVALS_GATHERED,
    ARRIVALS_STUCK,
    COMMIT_AWAITED,
    CUSTOMER_CLAIMED,
    CUSTOMER_CREATED,
    CUSTOMER_RELEASED,
    PLAN_AWAITED,
    RECYCLE_WARNED,
    TOPICS,
)
from saas.customers.given_queries import (
    GivenAllocation,
    GivenCustomer,
    GivenSize,
    find_given,
    find_visible_receivers,
    measure_given,
    require_audited_pool,
)
from saas.customers.held_queries import (
    HeldCustomer,
    HeldOwnership,
    HeldWish,
    ReportedPool,
    count_entries,
    count_held,
    count_held_customers,
    find_visible_owners,
    get_held,
    get_reported_pools,
    list_held,
    require_open_pool,
)
from saas.customers.holding_queries import (
    PoolHolding,
    count_dealt_customers,
    find_dealt_customers,
    find_held_by,
    find_named_dealt_customers,
    find_pool_owners,
    find_pooled,
)
from saas.customers.hooks import (
    AllocationAnswer,
    AllocationCustomer,
    AllocationFacts,
    AllocationPerson,
    AllocationPlace,
    AllocationTogether,
    ClaimFacts,
    CustomerHooks,
    Refusal,
    refuse_by_plugins,
)
from saas.customers.jobs import OwnershipNotices, RecycleWarning, RuleChangeNotice
from saas.customers.ledger_feed import LedgerFeed, LedgerReader, NewLine, ledger_place
from saas.customers.ledger_queries import LedgerTampering, LedgerVerdict, WrongLine, verify_ledger
from saas.customers.mark_reads import MARK_KIND
from saas.customers.marks import MarkKind
from saas.customers.moments import OverLimit, assignment_warning
from saas.customers.options import (
    DepartmentLimit,
    LevelDays,
    Option,
    OptionKind,
    PersonLimit,
    PoolAllocationRule,
    WorkingHours,
)
from saas.customers.plugin_methods import PluginMethods
from saas.customers.policies import CUSTOMER_SCOPES
from saas.customers.proposal_mails import ProposalMails
from saas.customers.queries import (
    find_customer_by_external_key,
    find_owner_on,
    get_pool,
    get_visible_customer,
    list_pools,
    lock_customers,
    lock_visible_customers,
    require_visible_customers,
)
from saas.customers.reads import reads
from saas.customers.recycling import (
    Comparison,
    DryRun,
    Effect,
    FollowUpFacts,
    FollowUpKind,
    OpportunityFacts,
    RecycleCondition,
    RecycleRules,
    Subject,
    Taken,
    effective_days,
)
from saas.customers.recycling_jobs import Foreseen, RecycleReport, RecyclingRun
from saas.customers.refusals import RefusalTally, count_refusals
from saas.customers.request_mails import RequestMails
from saas.customers.rules import NewCustomer, match_key
from saas.customers.settings import OPTIONS, PoolChange, PoolSettings

__all__ = [
    "ALLOCATION_METHOD",
    "ARRIVALS_AWAITED",
    "ARRIVALS_GATHERED",
    "ARRIVALS_STUCK",
    "COMMIT_AWAITED",
    "CREDIT_KIND",
    "CUSTOMER_CLAIMED",
    "CUSTOMER_CREATED",
    "CUSTOMER_KEY",
    "CUSTOMER_NAME",
    "CUSTOMER_RELEASED",
    "CUSTOMER_SCOPES",
    "MARK_KIND",
    "OPTIONS",
    "OWNER",
    "PLAN_AWAITED",
    "RECYCLE_WARNED",
    "TOPICS",
    "TRAIT_KIND",
    "Activity",
    "ActivitySource",
    "AllocationAnswer",
    "AllocationCustomer",
    "AllocationFacts",
    "AllocationPerson",
    "AllocationPlace",
    "AllocationTogether",
    "AllocationWish",
    "ArrivalAlerts",
    "ArrivalJobs",
    "Asked",
    "ClaimFacts",
    "ClaimGuard",
    "Comparison",
    "Credit",
    "CustomerBook",
    "CustomerHooks",
    "CustomerImport",
    "CustomerNeeds",
    "DepartmentLimit",
    "DrawCertificate",
    "DryRun",
    "DryRunReport",
    "Effect",
    "Entered",
    "FollowUpFacts",
    "FollowUpKind",
    "Foreseen",
    "Given",
    "GivenAllocation",
    "GivenCustomer",
    "GivenSize",
    "HeldCustomer",
    "HeldOwnership",
    "HeldWish",
    "LedgerFeed",
    "LedgerReader",
    "LedgerTampering",
    "LedgerVerdict",
    "Left",
    "LevelDays",
    "LevelStanding",
    "LockedHolding",
    "MarkKind",
    "Marking",
    "MatchPlan",
    "Method",
    "Near",
    "NewCustomer",
    "NewLine",
    "OnChange",
    "OpportunityFacts",
    "Option",
    "OptionKind",
    "OverLimit",
    "OwnershipImport",
    "OwnershipNotices",
    "OwnershipRequests",
    "Participant",
    "PerformancePlan",
    "PersonLimit",
    "PluginMethods",
    "PoolAllocationRule",
    "PoolChange",
    "PoolHolding",
    "PoolMetrics",
    "PoolProposals",
    "PoolSettings",
    "ProposalMails",
    "ReclaimWarning",
    "RecycleCondition",
    "RecycleReport",
    "RecycleRules",
    "RecycleWarning",
    "Recycled",
    "RecyclingRun",
    "Refusal",
    "RefusalTally",
    "ReportedPool",
    "RequestMails",
    "RuleChangeNotice",
    "Separation",
    "SettingsWish",
    "StoredDryRun",
    "Subject",
    "Taken",
    "Trait",
    "TraitKind",
    "WorkingHours",
    "WrongLine",
    "apply_begun_settings",
    "assign_customer",
    "assignment_warning",
    "cancel_allocation",
    "change_level",
    "claim_customer",
    "claim_customers",
    "close_pool",
    "commit_allocation",
    "configure_pool",
    "count_dealt_customers",
    "count_entries",
    "count_held",
    "count_held_customers",
    "count_pool_views",
    "count_pools_left_by",
    "count_refusals",
    "create_customer",
    "create_default_pool",
    "create_pool",
    "credit_back",
    "draw_certificate",
    "dry_run_proposal",
    "dry_run_settings",
    "effective_days",
    "explain_allocation",
    "find_administrations",
    "find_customer_by_external_key",
    "find_customers",
    "find_dealt_customers",
    "find_given",
    "find_held_by",
    "find_leavers",
    "find_named_dealt_customers",
    "find_owner_on",
    "find_pool_owners",
    "find_pooled",
    "find_visible_owners",
    "find_visible_receivers",
    "foresee_claim",
    "foresee_recycling",
    "get_dry_run",
    "get_held",
    "get_pool",
    "get_reported_pools",
    "get_visible_customer",
    "job_actor",
    "ledger_place",
    "list_allocation_problems",
    "list_dry_run_customers",
    "list_dry_run_people",
    "list_held",
    "list_pools",
    "lock_customers",
    "lock_holding",
    "lock_visible_customers",
    "match_key",
    "measure_given",
    "move_customers",
    "note_declines",
    "note_follow_up",
    "note_follow_ups",
    "note_last_deals",
    "own_certificate",
    "plan_allocation",
    "reads",
    "reclaim_customer",
    "recycle_due_customers",
    "refuse_by_plugins",
    "release_customer",
    "release_customers",
    "require_audited_pool",
    "require_open_pool",
    "require_visible_customers",
    "restore_last_follow_ups",
    "rotate_customers",
    "set_customer_needs",
    "set_employee_traits",
    "set_level_standing",
    "settle_due",
    "start_dry_run",
    "tell_readers_with",
    "transfer_customer",
    "try_waiting_again",
    "verify_ledger",
    "warn_of_reclaim",
]
