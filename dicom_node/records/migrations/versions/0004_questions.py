"""Questions that people ask about a study, and their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("workitem_id", sa.Integer(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("series", sa.JSON(), nullable=False),
        sa.Column("destinations", sa.JSON(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("compare", sa.Boolean(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("analysed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("algorithm_digest", sa.String(length=64), nullable=True),
        sa.Column("bundle", sa.String(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=True),
        sa.Column("objects", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["study_uid"], ["study.uid"], name="fk_question_study_uid_study"),
        sa.ForeignKeyConstraint(["workitem_id"], ["workitem.id"], name="fk_question_workitem_id_workitem"),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
    )
    op.create_index("ix_question_due", "question", ["state", "not_before"], unique=False)
    op.create_index("ix_question_study_uid", "question", ["study_uid"], unique=False)


def downgrade() -> None:
    op.drop_table("question")
