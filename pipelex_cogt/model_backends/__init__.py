"""Inference backends and the models they serve."""
