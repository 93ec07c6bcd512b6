"""The pure rules of incentives: from a plan and the facts of deals to lines, from lines to statements."""
