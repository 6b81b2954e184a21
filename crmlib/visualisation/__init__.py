"""Every figure: draws plain tables, computes nothing."""
