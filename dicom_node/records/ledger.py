"""The ledger: the only reader and writer of what the node remembers; arrivals, work, delivery and views in one."""

from dicom_node.config import Config
from dicom_node.records.answers import AnswerLedger
from dicom_node.records.arrivals import ArrivalsLedger
from dicom_node.records.audit import AuditChain
from dicom_node.records.claimed_questions import AnsweringLedger
from dicom_node.records.database import Database
from dicom_node.records.deliveries import DeliveryLedger
from dicom_node.records.privacy import node_key
from dicom_node.records.views import ViewsLedger
from dicom_node.records.withdrawals import WithdrawalLedger


class Ledger(ArrivalsLedger, WithdrawalLedger, AnsweringLedger, DeliveryLedger, AnswerLedger, ViewsLedger):
    """Everything one process may ask of the ledger or tell it."""

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()


def open_ledger(config: Config, actor: str) -> Ledger:
    """The ledger of a configuration, migrated to this version.

    Parameters
    ----------
    actor
        Which process writes, as the audit names it, for example "listener".

    Raises
    ------
    ConfigError
        If the database or a key cannot be used as it is.
    """
    config.node.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(config.database_url, config.database.busy_timeout_s)
    database.migrate()
    audit = AuditChain(node_key(config.keys_dir, "audit"), actor)
    return Ledger(database, audit, node_key(config.keys_dir, "pseudonyms"))
