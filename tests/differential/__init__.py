"""The compiled reader held against graphql-core, which executes the same documents over the same rows in memory."""
