"""The world as the seeder's ports."""
