"""The operations of the demonstration, as a partner would write them."""

from __future__ import annotations

_ERRORS = "userErrors { code field message hint }"
_TOKENS = "tokens { accessToken }"

SIGN_UP = f"mutation ($input: CompanySignUpInput!) {{ companySignUp(input: $input) {{ {_TOKENS} {_ERRORS} }} }}"
SIGN_IN = f"mutation ($input: SignInInput!) {{ signIn(input: $input) {{ {_TOKENS} {_ERRORS} }} }}"
VIEWER = "{ viewer { company { id name } roles } }"
INVITE = f"mutation ($input: InvitationCreateInput!) {{ invitationCreate(input: $input) {{ token {_ERRORS} }} }}"
ACCEPT = f"mutation ($input: InvitationAcceptInput!) {{ invitationAccept(input: $input) {{ {_TOKENS} {_ERRORS} }} }}"
ONE_POOLED = "{ customers(first: 1, filter: {status: {eq: POOLED}}) { nodes { id name } } }"
CLAIM = f"""
mutation ($input: CustomerClaimInput!) {{
  customerClaim(input: $input) {{ customer {{ id name phone {{ value masked }} }} {_ERRORS} }}
}}"""
COLLEAGUES = "{ employees(first: 3) { nodes { name department { name } phone { value } } } }"
ONE = "query ($id: ID!) { customer(id: $id) { id name } }"
