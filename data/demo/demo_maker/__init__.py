"""The parts of the demo client: one module per delivered table, and the facts that hold of them."""
