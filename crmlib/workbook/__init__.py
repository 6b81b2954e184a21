"""The outer shell: executes the notebooks, publishes a report, answers at the command line.

Nothing else in `crmlib` imports this package.
"""
