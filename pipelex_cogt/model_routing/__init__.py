"""Routing: which backend serves which model."""
