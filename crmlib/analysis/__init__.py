"""One module per question: how are we doing, how are customers spread, are they content."""
