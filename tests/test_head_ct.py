import numpy as np
import SimpleITK as sitk
from highdicom import Volume

from inference.imaging.head_ct import head_alone, soft_parts, without_bone_and_air

AFFINE = np.array([[0, 0, 2.0, -100.0], [0, 2.0, 0, -100.0], [2.0, 0, 0, -100.0], [0, 0, 0, 1.0]])


def distance_mm() -> np.ndarray:
    """From the middle of the grid."""
    index = np.stack(np.meshgrid(*[np.arange(100)] * 3, indexing="ij"), axis=-1)
    far: np.ndarray = np.linalg.norm(index @ AFFINE[:3, :3].T + AFFINE[:3, 3], axis=-1)
    return far


def head_on_a_table() -> np.ndarray:
    """A brain of 35 HU in bone and scalp, and a board behind it."""
    far = distance_mm()
    head = np.select([far < 65, far < 72, far < 78], [35.0, 1100.0, 50.0], -1000.0)
    head[:, 95:97] = 120.0
    return head.astype(np.float32)


def test_soft_parts_leave_bone_fat_and_air_dark() -> None:
    hounsfield = np.array([-1000, -80, 0, 8, 35, 70, 119, 300, 1500], dtype=np.float32)
    assert soft_parts(hounsfield).tolist() == [0, 0, 0, 8, 35, 70, 119, 0, 0]


def test_the_table_is_left_out_and_bone_is_brightest() -> None:
    image = head_alone(Volume(head_on_a_table(), AFFINE, coordinate_system="PATIENT"), 3.0)
    array = sitk.GetArrayFromImage(image)
    reach = np.argwhere(array > 0)[:, ::-1] * 3.0 + np.array(image.GetOrigin())
    assert np.linalg.norm(reach, axis=1).max() < 84.0
    assert array.max() == 150.0
    assert array.min() == 0.0


def test_bone_at_the_edge_goes_and_a_calcification_within_stays() -> None:
    hounsfield = head_on_a_table()
    far = distance_mm()
    hounsfield[far < 4] = 400.0
    mask = without_bone_and_air(far < 70, hounsfield)
    assert np.array_equal(mask, far < 65)
