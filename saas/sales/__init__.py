"""What is done with customers: follow-ups."""
