"""Pages of the summary: a finding's slice with outlines and words, drawn as pictures; knows no DICOM object."""
