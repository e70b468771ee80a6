"""The pairs that every model is judged on, and the training clicks, as files: for models of other software.

Pairs have one row for each user, item and moment that is scored. ``part`` says what for:

    validation   up to ``validation_clicks`` clicks, ``validation_candidates`` items beside each: to choose settings by
    calibration  every validation click and one item beside it: slope and shift of the logits are fitted on these
    test         every test click and ``test_candidates`` items beside it: the results
    impressions  what was shown in the test part, clicked or not; only where the data record non-clicks

A pair is named by ``part``, ``click`` (the row of ``Dataset.interactions`` it stands beside) and ``item_id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import hyperctr
from hyperctr.config import MEASURED, Config
from hyperctr.data.negatives import CandidatePool, streamed_pool
from hyperctr.errors import ConfigError, DataError
from hyperctr.runs.scoring import pool_of_calibration, pools_of_test
from hyperctr.runs.store import load_again
from hyperctr.runtime import atomic_path
from hyperctr.split_data import SplitData

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset

CHUNK = 1 << 18  # pairs made or looked up at a time
KEY = b"hyperctr"  # of what the file of pairs says of itself
# What of a run's settings decides how anybody's model is judged: the pairs, what its predictions may see, and, for the
# reference run it is tested beside, how long the others train.
JUDGED = (*MEASURED, "epochs")


def judged_pools(split_data: SplitData, config: Config) -> dict[str, CandidatePool]:
    """Return the pools that a run of ``config`` is judged on, by part; candidates are drawn where they are read."""
    data, split = split_data.data, split_data.split
    sizes = {"count": config.validation_candidates, "max_rows": config.validation_clicks}
    pools = {"validation": streamed_pool(data, split, "validation", seed=config.seed, **sizes)}
    pools["calibration"] = pool_of_calibration(split_data, config)
    pools["test"], impressions = pools_of_test(split_data, config)
    return pools if impressions is None else {**pools, "impressions": impressions}


def pool_items(pool: CandidatePool) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield rows of a pool, about ``CHUNK`` pairs at a time, with their items and which cells hold one, [rows, 1 + n].

    The first column is the row's own item.
    """
    step = max(1, CHUNK // (1 + pool.negatives.shape[1]))
    for first in range(0, len(pool), step):
        rows = slice(first, first + step)
        items = np.concatenate([pool.items[rows, None], pool.negatives[rows]], axis=1)
        yield rows, items, items >= 0


def pair_frames(split_data: SplitData, config: Config) -> Iterator[pd.DataFrame]:
    """Yield all pairs with columns ``part, click, user_id, item_id, timestamp, label``, some at a time."""
    data = split_data.data
    for part, pool in judged_pools(split_data, config).items():
        for rows, items, there in pool_items(pool):
            label = np.zeros(items.shape, dtype=bool)
            label[:, 0] = pool.labels[rows]
            row = np.repeat(np.arange(rows.start, rows.start + len(items)), there.sum(axis=1))
            yield pd.DataFrame(
                {
                    "part": part,
                    "click": pool.rows[row],
                    "user_id": pd.Series(data.users).array.take(pool.users[row]),
                    "item_id": pd.Series(data.items).array.take(items[there]),
                    "timestamp": pool.timestamps[row],
                    "label": label[there],
                }
            )


def training_clicks(split_data: SplitData) -> pd.DataFrame:
    """Return the training clicks, oldest first: ``user_id, item_id, timestamp``."""
    clicks = split_data.data.interactions.iloc[split_data.split.train]
    return clicks[["user_id", "item_id", "timestamp"]].reset_index(drop=True)


def export_pool(data: Dataset, config: Config, out: str | Path, train: str | Path | None = None) -> int:
    """Write the pairs that every model is judged on, so that any model can be judged on the same ones.

    Columns are ``part, click, user_id, item_id, timestamp, label``, ids are the data set's own; see
    :mod:`hyperctr.runs.pairs` for the parts. Of ``config`` only seed, split and sizes count, and the protocol, which is
    kept: it says what the model's predictions will have been allowed to see. A model must not train on the labels of
    any part. Memory does not grow with the number of pairs.

    Args:
        data: what to test on.
        config: settings of the runs to compare with.
        out: a ``.parquet`` file, which also keeps how to load the data again, and the settings.
        train: where the training clicks go: ``user_id, item_id, timestamp``, also ``.parquet``; None: nowhere.

    Returns:
        How many pairs were written.

    Raises:
        ConfigError: a name that does not end in .parquet, or twice the same.
        DataError: the data set has too few clicks to split, or a file cannot be written, or is there and was not
            written by this function.

    >>> import hyperctr as hc
    >>> data = hc.load_dataset("planted", num_users=60, num_items=90, num_interactions=1200, months=12)
    >>> hc.export_pool(data, hc.Config.for_model("hyperctr", "smoke"), "pairs.parquet")  # doctest: +SKIP
    9956
    """
    for path in (out, *([] if train is None else [train])):
        if Path(path).suffix != ".parquet":
            raise ConfigError(f"{path}: pairs and training clicks are written to names that end in .parquet")
    if train is not None and Path(train).resolve() == Path(out).resolve():
        raise ConfigError(f"{out}: pairs and training clicks need two names")
    for path in (out, *([] if train is None else [train])):
        if Path(path).exists() and _about(Path(path)) is None:
            way = "move it away, or name another file"
            raise DataError(f"{path}: is there already and was not written by `hyperctr pool export`; {way}")
    split_data = SplitData.open(data, config)
    try:
        if train is not None:
            with atomic_path(train) as aside:
                _write_training(aside, split_data)
        return _write_pairs(Path(out), split_data, config)
    except OSError as error:
        raise DataError(
            f"{error.filename or out}: cannot be written ({error.strerror or error}); name another place"
        ) from error


def _about(file: Path) -> dict[str, Any] | None:
    """Return what a file of :func:`export_pool` says of itself; None for any other file."""
    import pyarrow.parquet as pq

    try:
        about: dict[str, Any] = json.loads((pq.read_schema(file).metadata or {})[KEY])
    except (OSError, ValueError, KeyError):
        return None
    return about


def _write_training(path: Path, split_data: SplitData) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(training_clicks(split_data), preserve_index=False)
    about = json.dumps({"version": hyperctr.__version__, "fingerprint": split_data.data.fingerprint})
    pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: about.encode()}), path)


def _write_pairs(path: Path, split_data: SplitData, config: Config) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data, count = split_data.data, 0
    about = {
        **{"version": hyperctr.__version__, "origin": data.origin, "fingerprint": data.fingerprint},
        **{"split": split_data.split.checksum, "settings": {name: getattr(config, name) for name in JUDGED}},
    }
    schema = None
    with atomic_path(path) as aside:
        writer = None
        try:
            for frame in pair_frames(split_data, config):
                table = pa.Table.from_pandas(frame, schema, preserve_index=False)
                if writer is None:
                    known = {**(table.schema.metadata or {}), KEY: json.dumps(about, default=str).encode()}
                    schema = table.schema.with_metadata(known)
                    writer = pq.ParquetWriter(aside, schema)
                writer.write_table(table.cast(schema))
                count += len(frame)
        finally:
            if writer is not None:
                writer.close()
    return count


def open_pairs(path: str | Path, data_dir: str | Path | None = None) -> tuple[Dataset, Config]:
    """Load the data set that a file of pairs was exported from, and its settings.

    Args:
        path: what :func:`export_pool` wrote.
        data_dir: where the data set's files lie now; None: where they lay then.

    Raises:
        DataError: no such file, or not one of :func:`export_pool`; the data cannot be loaded again, or have changed.
        ConfigError: settings that this version does not have.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(f"{file}: there is no such file; name the one that `hyperctr pool export` wrote")
    about = _about(file)
    if about is None or "origin" not in about:
        raise DataError(f"{file}: does not say what it was exported from; write it with `hyperctr pool export`")
    if about["origin"] is None:
        raise DataError(f"{file}: was exported from data made in memory; call hyperctr.evaluate_scores(data, ...)")
    data, config = load_again(about["origin"], data_dir), Config(**about["settings"])
    if data.fingerprint != about["fingerprint"]:
        raise DataError(f"{file}: the data set {data.name!r} has changed since; restore it, or export and score again")
    if SplitData.open(data, config).split.checksum != about["split"]:
        raise DataError(f"{file}: this version splits {data.name!r} differently; export and score again")
    return data, config
