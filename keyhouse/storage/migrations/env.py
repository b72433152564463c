"""What Alembic runs: always from `keyhouse.storage.migrating`, on a connection that it was given."""

from alembic import context

from keyhouse.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
