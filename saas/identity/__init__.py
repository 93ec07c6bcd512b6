"""Accounts, sign-in, sessions and tokens: what turns a request into an Actor.

A person has one account in the whole installation and a membership in each company; a session is of one person in
one company, and only hashes of its tokens are kept.
"""

from saas.identity.actions.accounts import (
    Candidate,
    Recipient,
    admit_candidate,
    change_password,
    find_recipient,
    find_staff_members,
    find_staff_recipients,
    settle_candidate,
)
from saas.identity.actions.invitations import (
    Invited,
    OpenInvitation,
    create_invitation,
    find_open_invitation,
    refuse_other_address,
    revoke_invitation,
    use_invitation,
)
from saas.identity.actions.memberships import (
    change_roles,
    count_seats,
    end_membership,
    end_membership_of_employee,
    grant_membership,
    tie_to_employee,
)
from saas.identity.actions.proof import prove_password
from saas.identity.actions.sessions import (
    OpenedSession,
    SessionTokens,
    actor_in,
    open_session,
    revoke_member_session,
    revoke_other_sessions,
    revoke_session,
    sign_out,
    switch_company,
)
from saas.identity.actions.sign_in import SignedIn, SignInOutcome, refresh_session, sign_in
from saas.identity.authentication import SESSION_STAMP_SQL, Authenticated, SessionAuthenticator
from saas.identity.jobs import Purged, purge_identity
from saas.identity.passwords import HashCost, Passwords
from saas.identity.queries import (
    Company,
    InvitationView,
    Member,
    SessionView,
    find_member,
    get_live_membership,
    list_companies,
    list_invitations,
    list_member_sessions,
    list_members,
    list_sessions,
)
from saas.identity.rules import OWNER, normal_email
from saas.identity.security_events import Origin

__all__ = [
    "OWNER",
    "SESSION_STAMP_SQL",
    "Authenticated",
    "Candidate",
    "Company",
    "HashCost",
    "InvitationView",
    "Invited",
    "Member",
    "OpenInvitation",
    "OpenedSession",
    "Origin",
    "Passwords",
    "Purged",
    "Recipient",
    "SessionAuthenticator",
    "SessionTokens",
    "SessionView",
    "SignInOutcome",
    "SignedIn",
    "actor_in",
    "admit_candidate",
    "change_password",
    "change_roles",
    "count_seats",
    "create_invitation",
    "end_membership",
    "end_membership_of_employee",
    "find_member",
    "find_open_invitation",
    "find_recipient",
    "find_staff_members",
    "find_staff_recipients",
    "get_live_membership",
    "grant_membership",
    "list_companies",
    "list_invitations",
    "list_member_sessions",
    "list_members",
    "list_sessions",
    "normal_email",
    "open_session",
    "prove_password",
    "purge_identity",
    "refresh_session",
    "refuse_other_address",
    "revoke_invitation",
    "revoke_member_session",
    "revoke_other_sessions",
    "revoke_session",
    "settle_candidate",
    "sign_in",
    "sign_out",
    "switch_company",
    "tie_to_employee",
    "use_invitation",
]
