"""What happens inside the volume before and after a graph: grid, intensity, components, midline, brain mask."""
