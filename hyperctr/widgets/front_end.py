"""Whether anybody can see a widget."""

from __future__ import annotations

import os

FRONT_ENDS = ("JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD", "COLAB_RELEASE_TAG")  # set by those that show widgets


def live() -> bool:
    """Whether a front end can show widgets: a kernel, and no batch run (``HYPERCTR_BATCH=1``, plain papermill).

    >>> live()
    False
    """
    if os.environ.get("HYPERCTR_BATCH"):
        return False
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return getattr(shell, "kernel", None) is not None and any(name in os.environ for name in FRONT_ENDS)
