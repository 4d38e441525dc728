"""Reading a study: routing, choice of series, volume with geometry, cage, session host, worker."""
