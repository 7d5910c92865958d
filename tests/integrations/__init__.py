"""The SDKs themselves, against a server on the loopback interface that refuses what the live APIs refuse."""
