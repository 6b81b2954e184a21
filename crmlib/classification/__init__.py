"""Facts per customer, and the classes that firms manage by."""
