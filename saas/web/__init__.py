"""The HTTP application: the GraphQL endpoint, health, and GraphiQL served without the internet. It holds no rules."""

from saas.graphql.services import Services
from saas.web.app import create_app

__all__ = ["Services", "create_app"]
