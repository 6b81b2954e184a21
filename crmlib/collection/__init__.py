"""Outside formats, encodings and headers → text tables that keep file and row of every record."""
