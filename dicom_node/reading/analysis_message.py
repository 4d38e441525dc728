"""An image to analyse, and the analysis of it, as messages and back; masks travel packed and cropped."""

from typing import Any

import numpy as np
from highdicom import CoordinateSystemNames, Volume
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from dicom_node.reading.sentence_message import sentence_in, sentence_out
from dicom_node.reading.task import Analysis
from dicom_node.reading.volume import MAXIMUM_VOXELS
from dicom_node.reading.wire import Body, Message
from inference.findings import (
    Algorithm,
    Finding,
    Findings,
    Mask,
    Measurement,
    Narrative,
    Segment,
)
from inference.image import Image
from inference.imaging.box import box_of
from inference.imaging.laying import Laying


def image_to_message(name: str, image: Image) -> Message:
    """A request to read `image` with the algorithm `name`."""
    volume = image.volume
    array = np.ascontiguousarray(volume.array, "<f4")
    body = {
        "name": name,
        "shape": list(array.shape),
        "affine": volume.affine.tolist(),
        "frame_of_reference_uid": volume.frame_of_reference_uid,
        "modality": image.modality,
        "weighting": image.weighting,
        "slice_mm": None if image.slice_mm is None else list(image.slice_mm),
        "laying": None if image.laying is None else _laying_out(image.laying),
    }
    return Message(kind="analyse", body=body, buffers=(array.data.cast("B"),))


def image_from_message(message: Message) -> tuple[str, Image]:
    """Name of the algorithm and the image; to be called through `dicom_node.reading.wire.decoded`."""
    body = message.body
    (data,) = message.buffers
    array = np.frombuffer(data, "<f4").reshape(_shape(body["shape"]))
    affine = np.asarray(body["affine"], np.float64)
    if not np.isfinite(affine).all():
        raise ValueError("affine is not finite")
    volume = Volume(
        array,
        affine,
        CoordinateSystemNames.PATIENT,
        frame_of_reference_uid=_text_or_none(body["frame_of_reference_uid"]),
    )
    if body["modality"] not in ("CT", "MR") or body["weighting"] not in ("T1", "T2", "FLAIR", "T2*", "CT", "unknown"):
        raise ValueError("modality or weighting is unknown")
    slice_mm = None if body["slice_mm"] is None else tuple(float(mm) for mm in body["slice_mm"])
    image = Image(
        volume=volume,
        modality=body["modality"],
        weighting=body["weighting"],
        slice_mm=slice_mm,
        laying=None if body["laying"] is None else _laying_in(body["laying"]),
    )
    return _text(body["name"]), image


def _laying_out(laying: Laying) -> Body:
    return {
        "shape": list(laying.shape),
        "matrix": list(laying.matrix),
        "plane_of": list(laying.plane_of),
        "corners": [list(corner) for corner in laying.corners],
    }


def _laying_in(body: Body) -> Laying:
    rows, columns = (int(value) for value in body["matrix"])
    return Laying(
        shape=_shape(body["shape"]),
        matrix=(rows, columns),
        plane_of=tuple(int(plane) for plane in body["plane_of"]),
        corners=tuple((int(row), int(column)) for row, column in body["corners"]),
    )


def analysis_to_message(analysis: Analysis) -> Message:
    """An analysis with its masks."""
    buffers: list[bytes] = []
    findings = analysis.findings
    body = {
        "provider": analysis.provider,
        "seconds": float(analysis.seconds),
        "algorithm": _algorithm_out(findings.algorithm),
        "segments": [_segment_out(segment, buffers) for segment in findings.segments],
        "findings": [finding_to_body(finding, buffers) for finding in findings.findings],
        "narrative": [sentence_out(sentence) for sentence in findings.narrative.sentences],
        "study_probability": _float_or_none(findings.study_probability),
        "study_code": _code_out(findings.study_code) if findings.study_code else None,
        "measurements": [_measurement_out(measurement) for measurement in findings.measurements],
    }
    return Message(kind="analysis", body=body, buffers=tuple(buffers))


def analysis_from_message(message: Message) -> Analysis:
    """The analysis, checked by its own constructors; to be called through `dicom_node.reading.wire.decoded`."""
    body = message.body
    masks = [bytes(buffer) for buffer in message.buffers]
    findings = Findings(
        algorithm=_algorithm_in(body["algorithm"]),
        segments=tuple(_segment_in(segment, masks) for segment in body["segments"]),
        findings=tuple(finding_from_body(finding, masks) for finding in body["findings"]),
        narrative=Narrative(sentences=tuple(sentence_in(*values) for values in body["narrative"])),
        study_probability=_float_or_none(body["study_probability"]),
        study_code=_code_in(body["study_code"]) if body["study_code"] is not None else None,
        measurements=tuple(_measurement_in(values) for values in body["measurements"]),
    )
    return Analysis(findings=findings, provider=_text(body["provider"]), seconds=float(body["seconds"]))


def _algorithm_out(algorithm: Algorithm) -> Body:
    return {
        "name": algorithm.name,
        "version": algorithm.version,
        "source": algorithm.source,
        "digest": algorithm.digest,
        "family": _code_out(algorithm.family),
        "clinical_use": algorithm.clinical_use,
        "training": algorithm.training,
    }


def _algorithm_in(body: Body) -> Algorithm:
    if body["clinical_use"] not in ("cleared", "research", "forbidden"):
        raise ValueError("clinical use is unknown")
    if body["training"] not in ("none", "real", "synthetic-appearance", "synthetic-findings"):
        raise ValueError("training is unknown")
    return Algorithm(
        name=_text(body["name"]),
        version=_text(body["version"]),
        source=_text(body["source"]),
        digest=_text(body["digest"]),
        family=_code_in(body["family"]),
        clinical_use=body["clinical_use"],
        training=body["training"],
    )


def _segment_out(segment: Segment, buffers: list[bytes]) -> Body:
    return {
        "label": segment.label,
        "category": _code_out(segment.category),
        "type": _code_out(segment.type),
        "anatomy": _code_out(segment.anatomy) if segment.anatomy else None,
        "mask": _mask_out(segment.mask, buffers),
        "color": [int(value) for value in segment.color],
        "probability": None if segment.probability is None else _values_out(segment.probability, buffers),
    }


def _segment_in(body: Body, masks: list[bytes]) -> Segment:
    red, green, blue = (int(value) for value in body["color"])
    return Segment(
        label=_text(body["label"]),
        category=_code_in(body["category"]),
        type=_code_in(body["type"]),
        anatomy=_code_in(body["anatomy"]) if body["anatomy"] is not None else None,
        mask=_mask_in(body["mask"], masks),
        color=(red, green, blue),
        probability=None if body["probability"] is None else _values_in(body["probability"], masks),
    )


def finding_to_body(finding: Finding, buffers: list[bytes]) -> Body:
    """A finding as JSON values; its region, where it has one, is added to `buffers`."""
    return {
        "label": finding.label,
        "code": _code_out(finding.code),
        "site": _code_out(finding.site) if finding.site else None,
        "laterality": _code_out(finding.laterality) if finding.laterality else None,
        "probability": _float_or_none(finding.probability),
        "segment": finding.segment,
        "region": _mask_out(finding.region, buffers) if finding.region is not None else None,
        "slice_probabilities": [[int(index), float(value)] for index, value in finding.slice_probabilities],
        "measurements": [_measurement_out(measurement) for measurement in finding.measurements],
    }


def finding_from_body(body: Body, masks: list[bytes]) -> Finding:
    """The finding; to be called through `dicom_node.reading.wire.decoded`."""
    return Finding(
        label=_text(body["label"]),
        code=_code_in(body["code"]),
        site=_code_in(body["site"]) if body["site"] is not None else None,
        laterality=_code_in(body["laterality"]) if body["laterality"] is not None else None,
        probability=_float_or_none(body["probability"]),
        segment=int(body["segment"]) if body["segment"] is not None else None,
        region=_mask_in(body["region"], masks) if body["region"] is not None else None,
        slice_probabilities=tuple((int(index), float(value)) for index, value in body["slice_probabilities"]),
        measurements=tuple(_measurement_in(values) for values in body["measurements"]),
    )


def _measurement_out(measurement: Measurement) -> list[Any]:
    by_slice = [[int(index), float(value)] for index, value in measurement.by_slice]
    return [_code_out(measurement.code), float(measurement.value), _code_out(measurement.unit), by_slice]


def _measurement_in(values: Any) -> Measurement:
    code, value, unit, by_slice = values
    return Measurement(
        code=_code_in(code),
        value=float(value),
        unit=_code_in(unit),
        by_slice=tuple((int(index), float(one)) for index, one in by_slice),
    )


def _mask_out(mask: Mask, buffers: list[bytes]) -> Body:
    """Shape, box and the bits inside the box; a buffer for each mask."""
    box = box_of(mask)
    buffers.append(np.packbits(mask[box]).tobytes())
    return {"shape": list(mask.shape), "box": [[side.start, side.stop] for side in box], "buffer": len(buffers) - 1}


def _mask_in(body: Body, masks: list[bytes]) -> Mask:
    mask = np.zeros(_shape(body["shape"]), np.bool_)
    box = tuple(slice(int(start), int(stop)) for start, stop in body["box"])
    if any(not 0 <= side.start <= side.stop <= length for side, length in zip(box, mask.shape, strict=True)):
        raise ValueError("a mask's box lies outside its grid")
    inside = mask[box]
    bits = np.unpackbits(np.frombuffer(masks[body["buffer"]], np.uint8), count=inside.size)
    mask[box] = bits.reshape(inside.shape).view(np.bool_)
    return mask


def _values_out(values: NDArray[np.uint8], buffers: list[bytes]) -> Body:
    """Where there are values, as a mask, and the values there in its order."""
    where = _mask_out(values > 0, buffers)
    buffers.append(values[values > 0].tobytes())
    return {"where": where, "buffer": len(buffers) - 1}


def _values_in(body: Body, buffers: list[bytes]) -> NDArray[np.uint8]:
    where = _mask_in(body["where"], buffers)
    values = np.zeros(where.shape, np.uint8)
    values[where] = np.frombuffer(buffers[body["buffer"]], np.uint8)
    return values


def _shape(values: Any) -> tuple[int, int, int]:
    slices, rows, columns = (int(value) for value in values)
    if min(slices, rows, columns) < 1 or slices * rows * columns > MAXIMUM_VOXELS:
        raise ValueError("a grid without voxels, or with too many")
    return slices, rows, columns


def _code_out(code: Code) -> list[str | None]:
    return [code.value, code.scheme_designator, code.meaning, code.scheme_version]


def _code_in(values: Any) -> Code:
    value, scheme, meaning, version = values
    return Code(_text(value), _text(scheme), _text(meaning), _text_or_none(version))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _float_or_none(value: Any) -> float | None:
    return None if value is None else float(value)
