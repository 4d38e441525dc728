"""Runs the migrations on the connection it is given, each step and its record in one transaction."""

from alembic import context

from dicom_node.records.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
