from pathlib import Path

import numpy as np
from highdicom import Volume
from pydicom import Dataset

from dicom_node.operation.folder import series_of, studies_in
from dicom_node.reading.synthetic_study import Labels, series_from_volume


def series(labels: Labels, slices: int = 3) -> list[Dataset]:
    affine = np.diag([2.0, 1.0, 1.0, 1.0])
    return series_from_volume(
        Volume(np.ones((slices, 8, 8), np.float32), affine, coordinate_system="PATIENT"), labels=labels
    )


def write(folder: Path, datasets: list[Dataset]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, dataset in enumerate(datasets):
        dataset.save_as(folder / f"IM{number}", enforce_file_format=True)


def test_a_real_folder_is_sorted_into_studies_and_the_rest_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "a", series(Labels(seed="one")))
    write(tmp_path / "a" / "deep", series(Labels(seed="one", series_number=2, series_description="T2"), slices=2))
    write(tmp_path / "b", series(Labels(seed="two")))
    write(tmp_path / "copy", series(Labels(seed="two")))
    (tmp_path / "README.txt").write_text("not DICOM", encoding="utf-8")
    (tmp_path / "empty").touch()
    (tmp_path / "broken.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\xff\xff")
    found = studies_in([tmp_path])
    assert sorted(len(study.files) for study in found.studies) == [3, 5]
    assert found.left["the same instance again"] == 3
    assert found.left["no DICOM instance"] == 2
    assert sum(found.left.values()) == 6


def test_the_order_of_paths_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path / "a", series(Labels(seed="one")))
    write(tmp_path / "b", series(Labels(seed="two")))
    one, other = (
        studies_in([tmp_path / "a", tmp_path / "b"]),
        studies_in([tmp_path / "b", tmp_path / "a", tmp_path / "a"]),
    )
    assert one == other


def test_series_are_as_the_rules_see_them(tmp_path: Path) -> None:
    write(tmp_path, series(Labels(seed="one", series_description="Sag T1")))
    (study,) = studies_in([tmp_path]).studies
    (found,) = series_of(study)
    assert (found.modality, found.description, found.slices) == ("MR", "Sag T1", 3)
    assert (found.body_part_examined, found.contrast) == ("HEAD", False)
