"""The GraphQL door: schema by room, one endpoint's worth of execution over the compiled reader; no rules of its own."""
