"""The family of errors, one branch for each consequence.

NodeError
  ConfigError            the program does not start; the message names the key and what is allowed
  StudyError
    UnsuitableError      the study is not what the algorithm was made for: outcome `abstained`, the radiologist is
    told why TransientError       the surroundings failed: try again later
    DefectError          the program or a bundle is at fault: park the workitem, wake an administrator
  RefusedError           an object or a request that came from outside is not taken; carries the DIMSE status to answer
  DurabilityError        the disk or the database did not keep what it was given: never acknowledge

A message says what, which value and what to do. It never holds patient data: no name, identifier, date or free text
of a dataset.
"""


class NodeError(Exception):
    """Root of every error this service raises on purpose."""


class ConfigError(NodeError):
    """The configuration is wrong: refuse to start and name the key."""


class StudyError(NodeError):
    """One study cannot be read; no other study is affected."""


class UnsuitableError(StudyError):
    """The study does not fit the algorithm: abstain, with the numbers that did not fit."""


class TransientError(StudyError):
    """The surroundings failed (memory, a killed process, a lost database): the workitem is tried again."""


class DefectError(StudyError):
    """The program, its installation or a bundle is at fault: the workitem is parked."""


class RefusedError(NodeError):
    """Something from outside is not taken.

    Parameters
    ----------
    message
        What is wrong, without patient data.
    status
        DIMSE status to answer (PS3.4 B.2.3, PS3.7 C).
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class DurabilityError(NodeError):
    """Bytes or rows may not have reached the disk: nothing may be acknowledged on their account."""
