"""Jobs: what people ask of a recording, and what has become of it."""
