"""The "Use your key" page: a code becomes an account, with a drawn name and password."""
