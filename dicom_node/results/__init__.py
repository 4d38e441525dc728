"""Objects for the PACS: segmentation, measurement, narrative and outcome reports, validated before they are sent."""
