"""ensure_admin, ensure_token, create_token."""
