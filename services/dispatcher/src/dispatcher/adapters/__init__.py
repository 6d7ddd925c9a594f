"""How the dispatcher's ports are met: a database, yt-dlp, processes, the queue."""
