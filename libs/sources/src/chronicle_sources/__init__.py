"""What stands behind a URL: the address guard, and yt-dlp in a child process."""
