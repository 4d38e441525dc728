import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.imaging.surface import filled, sphere


def test_a_ball_of_triangles() -> None:
    ball = sphere(4)
    assert (ball.vertices.shape, ball.faces.shape) == ((2562, 3), (5120, 3))
    assert np.allclose(np.linalg.norm(ball.vertices, axis=1), 1.0)
    assert ball.volume == pytest.approx(4 / 3 * np.pi, rel=0.003)
    assert ((ball.normals * ball.vertices).sum(axis=1) > 0.999).all()


def test_every_vertex_knows_its_neighbours() -> None:
    ball = sphere(2)
    neighbours, there = ball.edges
    assert sorted(set(there.sum(axis=1))) == [5, 6]
    assert there.sum() == 2 * 3 * len(ball.faces) / 2
    for vertex in (0, 7, 100):
        for near in neighbours[vertex][there[vertex]]:
            assert vertex in neighbours[near][there[near]]


@settings(max_examples=25, deadline=None)
@given(
    radii=st.tuples(st.floats(3, 14), st.floats(3, 14), st.floats(3, 14)),
    center=st.tuples(st.floats(14, 18), st.floats(14, 18), st.floats(14, 18)),
)
def test_filling_gives_the_voxels_within(radii: tuple[float, float, float], center: tuple[float, float, float]) -> None:
    ball = sphere(4)
    mask = filled(ball.moved(ball.vertices * radii + np.array(center)), (32, 33, 34))
    index = np.stack(np.meshgrid(*map(np.arange, mask.shape), indexing="ij"), axis=-1)
    far = (((index - np.array(center)) / radii) ** 2).sum(axis=-1)
    assert not (mask & (far > 1.0)).any()
    assert (mask | (far > 0.97)).all()


def test_a_surface_turned_inside_out_fills_the_same() -> None:
    ball = sphere(3)
    points = ball.vertices * 9.0 + 15.3
    mirrored = points * [1, 1, -1] + [0, 0, 30]
    assert filled(ball.moved(points), (32, 32, 32)).sum() > 2000
    assert filled(ball.moved(mirrored), (32, 32, 32)).sum() == pytest.approx(
        filled(ball.moved(points), (32, 32, 32)).sum(), rel=0.02
    )


def test_what_reaches_beyond_the_grid_is_cut_at_its_edge() -> None:
    ball = sphere(4)
    whole = filled(ball.moved(ball.vertices * 10.0 + 20.2), (41, 41, 41))
    for part in ((slice(0, 25), slice(None), slice(None)), (slice(None), slice(None), slice(14, 41))):
        start = np.array([s.start or 0 for s in part])
        cut = whole[part]
        moved = ball.moved(ball.vertices * 10.0 + 20.2 - start)
        assert np.array_equal(filled(moved, (cut.shape[0], cut.shape[1], cut.shape[2])), cut)


def test_outside_the_grid_nothing_is_filled() -> None:
    ball = sphere(2)
    for axis in range(3):
        away = np.full(3, 10.0)
        away[axis] = 90.0
        assert not filled(ball.moved(ball.vertices * 5.0 + away), (20, 20, 20)).any()
