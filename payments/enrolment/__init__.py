"""A merchant's application to a channel (进件): handed in, reviewed there, corrected, signed."""
