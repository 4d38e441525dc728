"""The first tables: audit, patients' keys, studies, series, instances, workitems, results, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
    )
    op.create_table(
        "patient_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patient_key"),
        sa.UniqueConstraint("reference", name="uq_patient_key_reference"),
    )
    op.create_table(
        "study",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("patient_key_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("first_received_at", sa.BigInteger(), nullable=False),
        sa.Column("last_received_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["patient_key_id"], ["patient_key.id"], name="fk_study_patient_key_id_patient_key"),
        sa.PrimaryKeyConstraint("uid", name="pk_study"),
        sa.UniqueConstraint("pseudonym", name="uq_study_pseudonym"),
    )
    op.create_index("ix_study_state", "study", ["state"], unique=False)

    op.create_table(
        "series",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(), nullable=False),
        sa.Column("body_part_examined", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("protocol_name", sa.String(), nullable=False),
        sa.Column("contrast", sa.Boolean(), nullable=False),
        sa.Column("calling_ae", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["study_uid"], ["study.uid"], name="fk_series_study_uid_study"),
        sa.PrimaryKeyConstraint("uid", name="pk_series"),
    )
    op.create_index("ix_series_study_uid", "series", ["study_uid"], unique=False)

    op.create_table(
        "workitem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("destinations", sa.JSON(), nullable=False),
        sa.Column("series", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("analysed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("algorithm_digest", sa.String(length=64), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["study_uid"], ["study.uid"], name="fk_workitem_study_uid_study"),
        sa.PrimaryKeyConstraint("id", name="pk_workitem"),
        sa.UniqueConstraint("study_uid", "study_version", "algorithm", name="uq_workitem_study_uid"),
    )
    op.create_index("ix_workitem_due", "workitem", ["state", "not_before"], unique=False)

    op.create_table(
        "instance",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["series_uid"], ["series.uid"], name="fk_instance_series_uid_series"),
        sa.ForeignKeyConstraint(["study_uid"], ["study.uid"], name="fk_instance_study_uid_study"),
        sa.PrimaryKeyConstraint("uid", name="pk_instance"),
    )
    op.create_index("ix_instance_study_uid", "instance", ["study_uid"], unique=False)

    op.create_table(
        "result",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("workitem_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workitem_id"], ["workitem.id"], name="fk_result_workitem_id_workitem"),
        sa.PrimaryKeyConstraint("uid", name="pk_result"),
    )
    op.create_index("ix_result_workitem_id", "result", ["workitem_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("result_uid", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["result_uid"], ["result.uid"], name="fk_delivery_result_uid_result"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("result_uid", "destination", name="uq_delivery_result_uid"),
    )
    op.create_index("ix_delivery_due", "delivery", ["destination", "state", "not_before"], unique=False)


def downgrade() -> None:
    for table in ("delivery", "result", "workitem", "instance", "series", "study", "patient_key", "audit"):
        op.drop_table(table)
