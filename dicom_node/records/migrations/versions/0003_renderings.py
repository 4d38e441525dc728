"""Results know the rendering they belong to; what destinations take is remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("result", sa.Column("rendering", sa.String(), nullable=False, server_default="generic"))
    op.create_table(
        "destination",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("accepted", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_destination"),
    )


def downgrade() -> None:
    op.drop_table("destination")
    with op.batch_alter_table("result") as table:
        table.drop_column("rendering")
