"""The model deck, and the manager that builds it."""
