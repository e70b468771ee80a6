"""What pytest cannot import where an extra is missing, it does not collect."""

from importlib.util import find_spec

collect_ignore = []
if not find_spec("numba"):
    collect_ignore += ["hyperctr/model/fused.py", "hyperctr/model/vectors.py"]
if not find_spec("triton"):
    collect_ignore += ["hyperctr/model/triton_sums.py"]
