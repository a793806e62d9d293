"""Pure judgement: evidence, rule, trust, risk and a time go in, reasons come out."""
