"""How often Python looks for garbage."""

import gc

import pytest

from codegym_mcp.runtime.garbage_collector_settings import rare_collections


def test_what_is_loaded_is_left_alone_and_everything_is_as_before_afterwards():
    # What the tests have frozen themselves is counted, too.
    gc.unfreeze()
    before = gc.get_threshold(), gc.get_freeze_count()
    with rare_collections():
        assert gc.get_threshold()[0] > before[0][0]
        assert gc.get_freeze_count() > before[1]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_everything_is_as_before_after_an_error_too():
    before = gc.get_threshold()
    with pytest.raises(KeyError), rare_collections():
        raise KeyError
    assert gc.get_threshold() == before


def test_garbage_of_the_run_itself_is_found():
    class Node:
        pass

    with rare_collections():
        node = Node()
        node.itself = node
        del node
        assert gc.collect() >= 1
