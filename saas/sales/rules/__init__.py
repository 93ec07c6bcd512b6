"""Pure decisions of the sales room, a file per subject: plain values in, plain values or refusals out."""
