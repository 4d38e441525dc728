"""Time from the bytes of a series to its objects, as a running node has it: processes started, model warm.

    python -m tests.benchmarks.tumour_volume FOLDER [--algorithm NAME]

FOLDER holds one study's files. The first reading warms up and is not counted.
"""

import argparse
import time
from pathlib import Path
from statistics import median

from dicom_node import __version__
from dicom_node.config import Config
from dicom_node.reading.admission import admit
from dicom_node.reading.study_reader import StudyReader
from dicom_node.reading.task import Task
from dicom_node.results.rendering import GENERIC_RENDERING

TURNS = 5


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--algorithm", default="tumour-segmenter")
    given = asked.parse_args()
    config = Config()
    description = admit(given.algorithm, config.inference)
    task = Task(
        instances=tuple(path.read_bytes() for path in sorted(given.folder.iterdir())),
        algorithm=description.name,
        algorithm_digest=description.algorithm.digest,
        inputs=description.inputs,
        configuration_digest=config.reading_digest,
        software_version=__version__,
        renderings=(GENERIC_RENDERING,),
        analysed_at=None,
    )
    seconds = []
    with StudyReader(config.inference) as reader:
        reader.start()
        outcome = reader.read(task).outcome
        for _ in range(TURNS):
            time.sleep(3.0)  # the process for the next study gets ready meanwhile, as between two studies
            began = time.monotonic()
            reader.read(task)
            seconds.append(time.monotonic() - began)
    print(f"{outcome}: {median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s")  # noqa: T201


if __name__ == "__main__":
    main()
