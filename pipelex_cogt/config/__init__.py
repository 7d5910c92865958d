"""Reading settings: the only part that touches Dynaconf, the disk and the process environment."""
