"""A session runs on the provider that was asked for, or says so."""

import io
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from export_onnx import package
from inference.algorithms import Runtime
from inference.bundle import parity_names
from inference.errors import BundleError, InferenceError, ProviderError
from inference.graph import Graph
from inference.parity import ParityReport, parity
from inference.session import Session
from tests import tiny_bundles
from tests.tiny_bundles import CPU

SPEC = Graph.model_validate(tiny_bundles.graph_of([None, 1, None, None], [None, 1, None, None])[0])
IMAGE = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
HAS_CUDA = "CUDAExecutionProvider" in ort.get_available_providers()


def test_the_graph_runs_on_the_cpu_and_says_so() -> None:
    session = Session(tiny_bundles.identity(), SPEC, CPU)
    assert session.provider == "CPUExecutionProvider"
    assert session.passed_over == ()
    np.testing.assert_array_equal(session.run({"image": IMAGE})["probability"], IMAGE)


@pytest.mark.skipif(HAS_CUDA, reason="an NVIDIA GPU is there")
def test_a_gpu_that_is_not_there_is_an_error_that_names_what_is() -> None:
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider; available: .*CPUExecutionProvider"):
        Session(tiny_bundles.identity(), SPEC, Runtime(providers=("cuda",)))


@pytest.mark.skipif(HAS_CUDA, reason="an NVIDIA GPU is there")
def test_the_cpu_serves_where_it_is_allowed_and_what_was_passed_over_is_kept() -> None:
    session = Session(tiny_bundles.identity(), SPEC, Runtime(providers=("tensorrt", "cuda", "cpu")))
    assert session.provider == "CPUExecutionProvider"
    assert session.passed_over == ("TensorrtExecutionProvider",)


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_CUDA, reason="no NVIDIA GPU: CUDAExecutionProvider is not available")
def test_the_graph_runs_on_the_gpu_alone() -> None:
    session = Session(tiny_bundles.identity(), SPEC, Runtime(providers=("cuda",)))
    assert session.provider == "CUDAExecutionProvider"
    np.testing.assert_array_equal(session.run({"image": IMAGE})["probability"], IMAGE)


def test_a_provider_that_fell_back_in_silence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime lists CUDA as available where its libraries do not load, and then uses the CPU."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "InferenceSession", lambda graph, options, providers: real(graph))
    with pytest.raises(ProviderError, match=r"runs on CPUExecutionProvider; allowed .*: CUDAExecutionProvider"):
        Session(tiny_bundles.identity(), SPEC, Runtime(providers=("cuda",)))
    session = Session(tiny_bundles.identity(), SPEC, Runtime(providers=("cuda", "cpu")))
    assert (session.provider, session.passed_over) == ("CPUExecutionProvider", ("CUDAExecutionProvider",))


def test_a_bundle_may_allow_less_than_the_configuration() -> None:
    only_gpu = SPEC.model_copy(update={"providers_allowed": ("cuda",)})
    with pytest.raises(ProviderError, match="has no provider to run on; allowed by configuration and bundle: none"):
        Session(tiny_bundles.identity(), only_gpu, CPU)


def test_an_unknown_provider_is_an_error() -> None:
    with pytest.raises(ProviderError, match="unknown providers rocm; known: tensorrt, cuda, cpu"):
        Session(tiny_bundles.identity(), SPEC, Runtime(providers=("rocm", "cpu")))


@pytest.mark.parametrize("data", [b"", b"not a graph", tiny_bundles.identity()[:60]])
def test_bytes_that_are_no_graph_are_an_error_of_the_bundle(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"graphs/segment\.onnx"):
        Session(data, SPEC, CPU)


@pytest.mark.parametrize(
    ("graphs", "complaint"),
    [
        (tiny_bundles.graph_of([None, 1, 8, 8], [None, 1, None, None]), r"input image is tensor\(float\)"),
        (tiny_bundles.graph_of([None, 1, None, None], [None, 2, None, None]), "output probability is"),
        (
            tiny_bundles.graph_of(
                [], [], inputs=[{"name": "volume", "dtype": "float32", "shape": [None, 1, None, None]}]
            ),
            "inputs are image, the manifest says volume",
        ),
        (
            tiny_bundles.graph_of(
                [], [], inputs=[{"name": "image", "dtype": "float16", "shape": [None, 1, None, None]}]
            ),
            "the manifest says float16",
        ),
    ],
)
def test_other_tensors_than_the_manifest_says_are_an_error(graphs: list[dict[str, object]], complaint: str) -> None:
    with pytest.raises(BundleError, match=complaint):
        Session(tiny_bundles.identity(), Graph.model_validate(graphs[0]), CPU)


def test_a_run_that_fails_is_an_error_with_the_graph_named() -> None:
    session = Session(tiny_bundles.identity(), SPEC, CPU)
    with pytest.raises(InferenceError, match=r"graphs/segment\.onnx failed on CPUExecutionProvider"):
        session.run({"image": np.zeros((1, 7, 3, 4), dtype=np.float32)})
    with pytest.raises(InferenceError, match=r"graphs/segment\.onnx failed"):
        session.run({})


def test_the_same_input_gives_the_same_output_for_any_number_of_threads() -> None:
    graph = tiny_bundles.classes([1.5, -2.0], [0.25, 1.0])
    spec = Graph.model_validate(tiny_bundles.graph_of([None, 1, None, None], [None, 2, None, None])[0])
    image = np.random.default_rng(0).random((4, 1, 128, 128), dtype=np.float32)
    outputs = [
        Session(graph, spec, Runtime(threads=threads)).run({"image": image})["probability"] for threads in (1, 1, 2)
    ]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])


def test_parity_says_by_how_much_another_graph_differs(tmp_path: Path) -> None:
    bundle = tiny_bundles.written(
        tmp_path,
        tiny_bundles.classes([1.0], [0.0]),
        graphs=tiny_bundles.graph_of([None, 1, None, None], [None, 1, None, None]),
    )
    same = parity(bundle, SPEC, Session(bundle.read(tiny_bundles.GRAPH), SPEC, CPU))
    assert same.agrees
    assert same.max_abs == {"probability": 0.0}
    off = parity(bundle, SPEC, Session(tiny_bundles.classes([1.0], [0.5]), SPEC, CPU))
    assert not off.agrees
    assert off.max_abs["probability"] == pytest.approx(0.5, abs=1e-6)
    broken = parity(bundle, SPEC, Session(tiny_bundles.classes([float("nan")], [0.0]), SPEC, CPU))
    assert not broken.agrees


@pytest.mark.parametrize("kind", ["pickle", "npy", "text", "cut", "another name"])
def test_parity_arrays_that_are_none_are_an_error_of_the_bundle(tmp_path: Path, kind: str) -> None:
    good = tiny_bundles.written(tmp_path / "good")
    files = {name: good.read(name) for name in good.hashes if name != "bundle.json"}
    array = np.zeros((2, 1, 8, 8), dtype=np.float32)
    stream = io.BytesIO()
    if kind == "pickle":
        np.savez(stream, probability=np.array([{"code": "runs"}], dtype=object))
    elif kind == "npy":
        np.save(stream, array)
    elif kind == "another name":
        np.savez(stream, answer=array)
    _, expected = parity_names("segment")
    data = {"text": b"not an array", "cut": files[expected][:-30]}.get(kind, stream.getvalue())
    bad = package.write(tmp_path / "bad", good.manifest, {**files, expected: data}, {})
    with pytest.raises(BundleError, match=r"tiny-1\.0\.0/parity/segment-expected\.npz"):
        parity(bad, SPEC, Session(bad.read(tiny_bundles.GRAPH), SPEC, CPU))


def test_a_difference_at_the_tolerance_agrees_and_above_does_not() -> None:
    def report(difference: float) -> ParityReport:
        return ParityReport(provider="CPUExecutionProvider", max_abs={"a": 0.0, "b": difference}, atol=1e-4)

    assert report(1e-4).agrees
    assert not report(1.01e-4).agrees
    assert not report(float("nan")).agrees
