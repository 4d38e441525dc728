"""Results that were withdrawn say why."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("result") as table:
        table.add_column(sa.Column("rejected", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("result") as table:
        table.drop_column("rejected")
