"""What media says of itself: containers, tracks, and files of them; no network, no store."""
