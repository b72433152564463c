"""What the house keeps, on SQLite or PostgreSQL; rows never leave this package."""
