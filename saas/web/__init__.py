"""The HTTP application: the GraphQL endpoint, health, and GraphiQL served without the internet. It holds no rules."""

from saas.graphql.services import Services
from saas.web.app import create_app
from saas.web.protocol import SPOKEN, OneWriteProtocol

__all__ = ["SPOKEN", "OneWriteProtocol", "Services", "create_app"]
