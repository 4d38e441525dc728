"""The service: network, disk, database, clock."""

__version__ = "0.1.0"
