"""How much: prices, ceilings and budgets, in whole nano-dollars. No I/O, no clock, no float."""
