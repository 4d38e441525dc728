"""The segment reading says what its graph says, on the voxels of the source, in codes and millimetres."""

from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from highdicom import Volume
from numpy.typing import NDArray
from pydicom.sr.codedict import codes

from export_onnx import package
from inference.algorithms.segment import Segmenter
from inference.errors import BundleError, InferenceError, UnsuitableImageError
from inference.findings import Findings
from inference.image import Image
from inference.synthetic.head import SyntheticHead, synthetic_head
from tests import tiny_bundles
from tests.tiny_bundles import AXIAL, CPU, graph_of, manifest, reader

ORDERS = [(order, signs) for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)]
WINDOWS = {"kind": "windows", "shape": [4, 8, 8], "overlap": 0.5, "batch": 2}
LOGITS = graph_of([None, 1, None, None], [None, 1, None, None], activation="softmax")
FREE_3D = graph_of([None, 1, None, None, None], [None, 1, None, None, None])
TILINGS: dict[str, dict[str, Any]] = {
    "2-D": {},
    "2.5-D": {
        "graph": tiny_bundles.identity(channels=3, pick=1),
        "tiling": {"kind": "slices", "neighbours": 1, "batch": 4},
        "graphs": graph_of([None, 3, None, None], [None, 1, None, None]),
    },
    "3-D windows": {"graph": tiny_bundles.identity(rank=5), "tiling": WINDOWS, "graphs": FREE_3D},
    "3-D whole": {"graph": tiny_bundles.identity(rank=5), "tiling": {"kind": "whole"}, "graphs": FREE_3D},
}


def _image(
    array: NDArray[np.float32], order: tuple[int, ...] = (2, 1, 0), signs: tuple[float, ...] = (1, 1, 1)
) -> Image:
    """Spacing 3, 1.5 and 2 mm along the array's axes."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * np.array(signs) * np.array([3.0, 1.5, 2.0])
    affine[:3, 3] = [5.3, -7.1, 2.0]
    return Image(volume=Volume(array, affine, coordinate_system="PATIENT"), modality="MR", weighting="T1")


def _two_boxes(shape: tuple[int, int, int] = (7, 9, 11)) -> NDArray[np.float32]:
    """A box of 0.9 with 24 voxels, one of 0.6 with 2, and 0.4 around it, which is below the threshold."""
    array = np.zeros(shape, dtype=np.float32)
    array[1:3, 2:5, 3:7] = 0.9
    array[5, 6:9, 8:11] = 0.4
    array[5, 7, 8:10] = 0.6
    return array


def _segment(**changes: Any) -> list[dict[str, Any]]:
    return [{**manifest()["segments"][0], **changes}]


def _finding(**changes: Any) -> list[dict[str, Any]]:
    return [{**manifest()["findings"][0], **changes}]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Segmenter]:
    steps = [AXIAL, {"op": "pad_multiple", "of": [4, 8, 8], "value": 0.0}]
    return {
        name: reader(tmp_path_factory.mktemp("bundle"), preprocess=steps, **changes)
        for name, changes in TILINGS.items()
    }


@pytest.mark.parametrize("name", TILINGS)
@pytest.mark.parametrize(("order", "signs"), ORDERS)
def test_every_axis_order_and_flip_gives_the_same_voxels(
    readers: dict[str, Segmenter], name: str, order: tuple[int, ...], signs: tuple[float, ...]
) -> None:
    array = np.random.default_rng(1).random((7, 9, 11), dtype=np.float32)
    array[np.abs(array - 0.5) < 1e-3] = 0.0  # no voxel on the edge of the threshold, where a rounding would tell
    found = readers[name].read(_image(array, order, signs))
    np.testing.assert_array_equal(found.segments[0].mask, array >= 0.5)


@pytest.fixture
def found(tmp_path: Path) -> Findings:
    return reader(tmp_path).read(_image(_two_boxes()))


def test_each_component_is_a_finding_largest_first(found: Findings) -> None:
    assert [f.label for f in found.findings] == ["lesion 1", "lesion 2"]
    first, second = found.findings
    assert first.region is not None
    assert second.region is not None
    np.testing.assert_array_equal(first.region, _two_boxes() == np.float32(0.9))
    np.testing.assert_array_equal(second.region, _two_boxes() == np.float32(0.6))
    np.testing.assert_array_equal(found.segments[0].mask, first.region | second.region)
    assert (first.code.value, first.site and first.site.value) == ("52988006", "12738006")


def test_sizes_are_in_millimetres(found: Findings) -> None:
    volume, long, short = found.findings[0].measurements
    assert (volume.code, volume.unit) == (codes.SCT.Volume, codes.UCUM.CubicMillimeter)
    assert volume.value == pytest.approx(24 * 3.0 * 1.5 * 2.0)
    assert (long.code, long.unit) == (codes.SCT.LongAxis, codes.UCUM.Millimeter)
    assert (short.code, short.unit) == (codes.SCT.ShortAxis, codes.UCUM.Millimeter)
    # on a slice of a box of 2 x 3 x 4 voxels: its diagonal, and what lies across that between the longer sides
    assert long.value == pytest.approx(np.hypot(4.5, 8.0))
    assert short.value == pytest.approx(4.5 * np.hypot(4.5, 8.0) / 8.0)


@pytest.mark.parametrize(("how", "whole", "by_slice"), [("mean", 0.65, [0.6, 0.7]), ("max", 0.8, [0.6, 0.8])])
def test_a_probability_is_of_its_voxels(tmp_path: Path, how: str, whole: float, by_slice: list[float]) -> None:
    array = np.zeros((4, 6, 6), dtype=np.float32)
    array[1, 2, 2:4] = 0.6
    array[2, 2, 2:4] = [0.6, 0.8]
    only = reader(tmp_path, findings=_finding(probability_from=how)).read(_image(array)).findings[0]
    assert only.probability == pytest.approx(whole, abs=1e-6)
    assert [k for k, _ in only.slice_probabilities] == [1, 2]
    assert [p for _, p in only.slice_probabilities] == pytest.approx(by_slice, abs=1e-6)


def test_a_segment_has_its_probability_in_and_around_its_parts(tmp_path: Path) -> None:
    array = _two_boxes((12, 9, 20))
    array[11, 0, 19] = 0.4  # far from any part
    expected = np.rint(255 * array).astype(np.uint8)
    expected[11, 0, 19] = 0
    segment = reader(tmp_path).read(_image(array)).segments[0]
    np.testing.assert_array_equal(segment.probability, expected)


def test_the_sentences_give_number_size_and_probability(found: Findings) -> None:
    assert [(s.finding, s.text) for s in found.narrative.sentences] == [
        (None, "The algorithm marked 2 regions as lesion, 0.23 mL in all."),
        ("lesion 1", "Lesion 1: brain, 0.22 mL, longest axis 9 mm, perpendicular to it 5 mm, probability 90 %."),
        ("lesion 2", "Lesion 2: brain, 0.02 mL, longest axis 4 mm, perpendicular to it 2 mm, probability 60 %."),
    ]


def test_nothing_marked_is_said_and_the_segment_is_empty(tmp_path: Path) -> None:
    found = reader(tmp_path).read(_image(np.zeros((3, 4, 5), dtype=np.float32)))
    assert not found.segments[0].mask.any()
    assert found.findings == ()
    assert found.narrative.text == "The algorithm marked no lesion."


def test_what_is_too_small_is_out_of_the_segment_too(tmp_path: Path) -> None:
    found = reader(tmp_path, segments=_segment(min_volume_mm3=20.0)).read(_image(_two_boxes()))
    assert len(found.findings) == 1
    assert found.segments[0].mask.sum() == 24
    assert found.narrative.sentences[0].text == "The algorithm marked one lesion, 0.22 mL."


def test_what_is_nowhere_sure_enough_is_out_of_the_segment_too(tmp_path: Path) -> None:
    found = reader(tmp_path, segments=_segment(min_peak=0.8)).read(_image(_two_boxes()))
    assert [round(f.probability or 0.0, 3) for f in found.findings] == [0.9]
    assert found.segments[0].mask.sum() == 24


def test_of_an_organ_the_largest_part_alone_is_kept(tmp_path: Path) -> None:
    found = reader(tmp_path, segments=_segment(only_largest=True)).read(_image(_two_boxes()))
    assert len(found.findings) == 1
    assert found.segments[0].mask.sum() == 24
    assert found.segments[0].probability is None


def test_more_than_the_most_are_in_the_segment_and_not_listed(tmp_path: Path) -> None:
    limits = {"max_voxels": 10_000, "max_findings": 1}
    found = reader(tmp_path, limits=limits).read(_image(_two_boxes()))
    assert len(found.findings) == 1
    assert found.segments[0].mask.sum() == 26
    assert found.narrative.sentences[-1].text == "The smallest one is in the segment and not listed."


def test_a_volume_above_the_limit_is_not_read(tmp_path: Path) -> None:
    small = reader(tmp_path, limits={"max_voxels": 100})
    with pytest.raises(UnsuitableImageError, match="693 voxels after preprocessing, the bundle reads at most 100"):
        small.read(_image(_two_boxes()))


def test_a_probability_is_interpolated_before_the_threshold(tmp_path: Path) -> None:
    """A ramp from 0 to 1 crosses 0.5 half way, on whatever grid the graph saw it."""
    ramp = np.broadcast_to(np.linspace(0.0, 1.0, 41, dtype=np.float32)[None, None], (9, 9, 41)).copy()
    steps = [AXIAL, {"op": "resample", "spacing_mm": [5.0, 5.0, 5.0], "antialias": False}]
    found = reader(tmp_path, preprocess=steps, segments=_segment(threshold=0.49)).read(_image(ramp))
    mask = found.segments[0].mask
    assert mask[:, :, 21:].all()
    assert not mask[:, :, :19].any()


def test_a_calibrated_probability_is_the_one_that_counts(tmp_path: Path) -> None:
    shifted = {"slope": 2.0, "intercept": -1.0}
    found = reader(tmp_path, segments=_segment(calibration=shifted)).read(_image(_two_boxes()))
    logit = np.log(0.9 / 0.1)
    assert len(found.findings) == 1  # 0.6 becomes 0.45
    assert found.findings[0].probability == pytest.approx(1.0 / (1.0 + np.exp(-(2.0 * logit - 1.0))), abs=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_logits_become_probabilities(tmp_path: Path, activation: str) -> None:
    channels = graph_of([None, 1, None, None], [None, 2, None, None], activation=activation)
    spoken = reader(
        tmp_path,
        tiny_bundles.classes([0.0, 4.0], [0.0, -2.0]),
        graphs=channels,
        segments=_segment(channel=1),
    ).read(_image(_two_boxes()))
    first = spoken.findings[0]
    assert first.probability == pytest.approx(1.0 / (1.0 + np.exp(-(4.0 * 0.9 - 2.0))), abs=1e-5)
    assert len(spoken.findings) == 2  # 0.6 has a logit above 0 against the other class


def test_a_graph_of_fixed_batch_is_fed_full_batches(tmp_path: Path) -> None:
    fixed = reader(
        tmp_path,
        tiny_bundles.identity(batch=4),
        graphs=graph_of([4, 1, None, None], [4, 1, None, None]),
        tiling={"kind": "slices", "batch": 4},
    )
    np.testing.assert_array_equal(fixed.read(_image(_two_boxes())).segments[0].mask, _two_boxes() >= 0.5)


def test_a_graph_of_fixed_size_that_preprocessing_does_not_give_is_an_error_of_the_bundle(tmp_path: Path) -> None:
    sizes = graph_of([4, 1, None, None], [4, 1, None, None])
    wrong = reader(tmp_path, tiny_bundles.identity(batch=4), graphs=sizes, tiling={"kind": "slices", "batch": 7})
    with pytest.raises(BundleError, match=r"preprocessing gives \[7, 1, 9, 11\], graphs/segment\.onnx takes \[4, 1"):
        wrong.read(_image(_two_boxes()))


def test_values_that_are_not_numbers_are_never_read_as_nothing_found(tmp_path: Path) -> None:
    array = np.zeros((4, 6, 6), dtype=np.float32)
    opened = reader(tmp_path, tiny_bundles.classes([1e38], [0.0]), graphs=LOGITS)
    array[1, 1, 1] = 1e10  # times 1e38: infinite; its difference from itself in a softmax is not a number
    with pytest.raises(InferenceError, match="gave values that are not numbers"):
        opened.read(_image(array))


def test_logits_that_pose_as_probabilities_are_an_error_of_the_bundle(tmp_path: Path) -> None:
    opened = reader(tmp_path, tiny_bundles.classes([6.0], [-3.0]))
    with pytest.raises(BundleError, match=r"gave values from -3 to 2\.4; its manifest promises probabilities"):
        opened.read(_image(_two_boxes()))


def test_far_logits_are_certain_and_raise_no_warning(tmp_path: Path) -> None:
    channels = graph_of([None, 1, None, None], [None, 1, None, None], activation="sigmoid")
    found = reader(tmp_path, tiny_bundles.classes([4000.0], [-2000.0]), graphs=channels).read(_image(_two_boxes()))
    assert [f.probability for f in found.findings] == [1.0, 1.0]


def test_the_same_image_gives_the_same_findings(tmp_path: Path) -> None:
    opened = reader(tmp_path, **TILINGS["3-D windows"])
    array = np.random.default_rng(2).random((9, 17, 19), dtype=np.float32)
    one, two = (opened.read(_image(array)) for _ in range(2))
    assert one.narrative == two.narrative
    assert [f.probability for f in one.findings] == [f.probability for f in two.findings]


def test_weights_that_compute_something_else_here_do_not_open(tmp_path: Path) -> None:
    bundle = tiny_bundles.written(tmp_path / "good")
    files = {name: bundle.read(name) for name in bundle.hashes if name != "bundle.json"}
    files["parity/segment-expected.npz"] = package.npz({"probability": np.ones((2, 1, 8, 8), dtype=np.float32)})
    forged = package.write(tmp_path / "bad", bundle.manifest, files, {})
    with pytest.raises(BundleError, match=r"outputs on CPUExecutionProvider differ by .*; 0.0001 is allowed"):
        Segmenter.opened(forged, CPU)


@pytest.fixture(scope="module")
def head() -> SyntheticHead:
    return synthetic_head(31, lesions=0, spacing_mm=(3.0, 2.0, 2.0))


def test_a_mirrored_patient_has_the_lesion_on_the_other_side(head: SyntheticHead, tmp_path: Path) -> None:
    """The bright spot is the only thing above the threshold; the side comes from the head around it."""
    array = np.minimum(head.image.volume.array / 1000.0, 0.9).astype(np.float32)
    array[35:38, 60:64, 28:32] = 1.0  # low columns: the patient's right
    sided = reader(tmp_path, segments=_segment(threshold=0.95), findings=_finding(laterality="midline"))
    for picture, expected in ((array, codes.SCT.Right), (np.ascontiguousarray(array[:, :, ::-1]), codes.SCT.Left)):
        for code in ("HPL", "LPH", "FAR"):
            volume = head.image.volume.with_array(picture).to_patient_orientation(code)
            found = sided.read(Image(volume=volume, modality="MR", weighting="T1"))
            assert [f.laterality for f in found.findings] == [expected]
            assert expected.meaning.lower() + " brain" in found.narrative.text


def test_a_lesion_across_the_midline_has_no_side(head: SyntheticHead, tmp_path: Path) -> None:
    array = np.minimum(head.image.volume.array / 1000.0, 0.9).astype(np.float32)
    array[35:38, 60:64, 40:60] = 1.0
    sided = reader(tmp_path, segments=_segment(threshold=0.95), findings=_finding(laterality="midline"))
    found = sided.read(Image(volume=head.image.volume.with_array(array), modality="MR", weighting="T1"))
    assert [f.laterality for f in found.findings] == [None]
