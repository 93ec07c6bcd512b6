"""How a company comes aboard: one transaction from its name to its owner's first session.

It calls the rooms below (directory, identity, people, audit, events) in an explicit order and keeps the key that
makes a repetition harmless.
"""

from saas.onboarding.actions.invitations import accept_invitation, join_company
from saas.onboarding.actions.sign_up import CompanySignedUp, sign_up_company
from saas.onboarding.events import COMPANY_SIGNED_UP
from saas.onboarding.jobs import WELCOME_MAIL, FindRecipient, WelcomeMail, purge_sign_up_keys

__all__ = [
    "COMPANY_SIGNED_UP",
    "WELCOME_MAIL",
    "CompanySignedUp",
    "FindRecipient",
    "WelcomeMail",
    "accept_invitation",
    "join_company",
    "purge_sign_up_keys",
    "sign_up_company",
]
