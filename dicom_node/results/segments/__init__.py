"""The parts of a Segmentation object (PS3.3 A.51): frames, their pixels, where they lie, what segments are called."""
