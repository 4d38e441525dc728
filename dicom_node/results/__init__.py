"""Objects for the PACS: segmentation, measurement report, narrative, outcome; provenance and validation before sending."""
