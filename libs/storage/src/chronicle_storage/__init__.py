"""Recordings as growing objects, in S3 or in a local folder, behind one port."""
