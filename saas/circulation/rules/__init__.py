"""Pure decisions about circulation: who declines, who is used how well, what moves and what stays."""
