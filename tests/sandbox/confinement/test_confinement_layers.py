"""Layers are put in place one by one, and each reports its state."""

from codegym_mcp.sandbox.confinement.confinement_layers import PURPOSE, Layer, LayerState, attempt


def fail_in_the_kernel() -> None:
    raise PermissionError(1, "unshare: Operation not permitted")


def fail_in_the_library() -> None:
    raise ValueError("current limit exceeds maximum limit")


def test_a_failed_layer_does_not_prevent_the_others() -> None:
    states = attempt(
        {
            Layer.USER_NAMESPACE: fail_in_the_kernel,
            Layer.RLIMITS: fail_in_the_library,
            Layer.LANDLOCK: lambda: "version 7",
            Layer.SECCOMP: lambda: None,
        },
        disabled=[],
    )
    assert states == {
        Layer.USER_NAMESPACE: LayerState(False, "unshare: Operation not permitted"),
        Layer.RLIMITS: LayerState(False, "current limit exceeds maximum limit"),
        Layer.LANDLOCK: LayerState(True, "version 7"),
        Layer.SECCOMP: LayerState(True),
    }


def test_a_disabled_layer_is_not_tried() -> None:
    states = attempt({Layer.SECCOMP: fail_in_the_kernel}, disabled=[Layer.SECCOMP])
    assert states == {Layer.SECCOMP: LayerState(False, "switched off for a test")}


def test_every_layer_has_a_purpose() -> None:
    assert PURPOSE.keys() == set(Layer)
