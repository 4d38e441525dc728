// What dcmjs reads in DICOM files: `node dcmjs.cjs FILE...` prints one JSON object a file, in a list.
const { readFileSync } = require("node:fs");
const { log, data } = require("dcmjs");

log.setLevel("error");
const { DicomMessage, DicomMetaDictionary } = data;

function naturalised(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return DicomMetaDictionary.naturalizeDataset(DicomMessage.readFile(buffer.slice(byteOffset, byteOffset + byteLength)).dict);
}

const list = (sequence) => (sequence === undefined ? [] : Array.isArray(sequence) ? sequence : [sequence]);
const first = (sequence) => list(sequence)[0] ?? {};
const named = (item, value) => first(item.ConceptNameCodeSequence).CodeValue === value;

function* below(item) {
  for (const child of list(item.ContentSequence)) {
    yield child;
    yield* below(child);
  }
}

function segment(item) {
  return { number: item.SegmentNumber, label: item.SegmentLabel, tracking_id: item.TrackingID, tracking_uid: item.TrackingUID };
}

function group(item) {
  const items = [...below(item)];
  const number = (num) => {
    const value = first(num.MeasuredValueSequence);
    return [first(num.ConceptNameCodeSequence).CodeMeaning, value.NumericValue, first(value.MeasurementUnitsCodeSequence).CodeValue];
  };
  const region = (scoord) => {
    const image = first(first(scoord.ContentSequence).ReferencedSOPSequence);
    return { image: image.ReferencedSOPInstanceUID, frame: image.ReferencedFrameNumber ?? null, points: scoord.GraphicData };
  };
  return {
    tracking_id: items.find((child) => named(child, "112039"))?.TextValue ?? null,
    tracking_uid: items.find((child) => named(child, "112040"))?.UID ?? null,
    finding: first(items.find((child) => named(child, "121071"))?.ConceptCodeSequence).CodeMeaning ?? null,
    segments: items.filter((child) => named(child, "121191")).map((child) => first(child.ReferencedSOPSequence).ReferencedSegmentNumber),
    numbers: items.filter((child) => child.ValueType === "NUM").map(number),
    regions: items.filter((child) => child.ValueType === "SCOORD").map(region),
  };
}

function told(dataset) {
  const items = [...below(dataset)];
  return {
    sop_class_uid: dataset.SOPClassUID,
    segments: list(dataset.SegmentSequence).map(segment),
    groups: items.filter((item) => named(item, "125007")).map(group),
    texts: items.filter((item) => item.ValueType === "TEXT" && item.RelationshipType === "CONTAINS").map((item) => item.TextValue),
  };
}

process.stdout.write(JSON.stringify(process.argv.slice(2).map((path) => told(naturalised(path)))));
