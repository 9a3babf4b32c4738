"""Pages of the ground floor, and the generic list and detail pages every app builds on."""
