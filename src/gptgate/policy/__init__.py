"""Facts → Decision: the risk score, the rules, and the cutting-out of what a rule redacts. Pure, integers only."""
