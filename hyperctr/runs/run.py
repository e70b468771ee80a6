"""A finished run: its settings, numbers and learning curve, and predictions with the model it kept."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hyperctr.config import Config
from hyperctr.errors import ConfigError, DataError, DataWarning, RunError, ShapeError, did_you_mean
from hyperctr.lazy import lazy_function
from hyperctr.metrics.platt import PRIOR, Calibration
from hyperctr.runs.store import find_run, load_again, named_data, read_json
from hyperctr.split_data import SplitData
from hyperctr.statistics import PooledAUCDraws
from hyperctr.training.events import read_events

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.model.base import ClickModel

RELIABILITY_FILE = "reliability.csv"


class Run:
    """A finished run of the store.

    Attributes:
        id, folder: its name and place.
        config, metrics: its settings, and test metrics with what they depend on (dict).

    >>> import hyperctr as hc
    >>> run = hc.load_run("0123")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    hyperctr.errors.RunError: no run '0123'
    """

    def __init__(self, folder: Path, data: Dataset | None = None, data_dir: str | Path | None = None) -> None:
        if not (folder / "DONE").exists():
            raise RunError(f"{folder}: this run was not finished; train it again, `--resume` goes on where it stopped")
        self.id, self.folder = folder.name, folder
        try:
            self.config = Config.from_toml(folder / "config.toml")
        except ConfigError as error:
            raise RunError(f"{error}; the run is damaged or older: delete {folder} and train it again") from error
        path = folder / "metrics.json"
        written = read_json(path)
        if not written.keys() >= {"auc", "dataset", "model"}:
            raise RunError(f"{path}: holds no test AUC; the run is damaged: delete {folder} and train it again")
        self.metrics: dict[str, Any] = {name: np.nan if value is None else value for name, value in written.items()}
        self._given, self._data_dir = data, data_dir
        self.temporary: TemporaryDirectory[str] | None = None  # what holds the folder, if the store does not

    _repr_html_ = lazy_function("display.run_cards:run")

    def __repr__(self) -> str:
        return (
            f"Run({self.id}, {self.metrics['model']} on {self.metrics['dataset']}, test AUC {self.metrics['auc']:.4f})"
        )

    @property
    def events(self) -> pd.DataFrame:
        """The learning curve: step, epoch, examples, loss, validation_auc, seconds, memory_mib."""
        return pd.DataFrame(read_events(self.folder / "events.jsonl"))

    @property
    def rows(self) -> pd.DataFrame:
        """The run's test metrics beside the baselines, one row per model.

        Raises:
            RunError: the file is missing or damaged.
        """
        path = self.folder / "rows.csv"
        try:
            return pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: {error}; the run is damaged: delete {self.folder} and train it again") from error

    @property
    def reliability(self) -> pd.DataFrame:
        """Predicted probabilities and observed clicks of the 1:1 test pool, a row per model and bin.

        Columns are those of :func:`hyperctr.evaluation.reliability` and ``model``: the run's own and those of the rows
        it was tested beside. A run recorded before bins were kept has no rows.
        """
        path = self.folder / RELIABILITY_FILE
        try:
            return pd.read_csv(path)
        except FileNotFoundError:
            return pd.DataFrame(columns=["pairs", "clicks", "raw", "calibrated", "model"])
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: {error}; the run is damaged: delete {self.folder} and train it again") from error

    @property
    def calibration(self) -> Calibration | None:
        """What turns the model's logits into probabilities, fitted on validation clicks; None in an older run."""
        slope, shift = (self.metrics.get(f"calibration_{name}", np.nan) for name in ("slope", "shift"))
        return Calibration(slope, shift) if np.isfinite(slope) and np.isfinite(shift) else None

    @property
    def draws(self) -> PooledAUCDraws:
        """The test AUC on every bootstrap draw of users: what a paired comparison with another run needs."""
        return self.draws_of(self.metrics["model"])

    def draws_of(self, row: str) -> PooledAUCDraws:
        """Return the same of a row of the table: the run's own, and in a reference run the baselines too.

        Raises:
            RunError: the run keeps no draws of such a row.
        """
        kept = read_json(self.folder / "draws.json")
        if row not in kept:
            raise RunError(f"{self.folder / 'draws.json'}: holds no draws of {row!r}; {did_you_mean(row, kept)}")
        draws = np.array(kept[row]["draws"], dtype=np.float64)  # null becomes nan
        return PooledAUCDraws(kept[row]["value"], draws, kept[row]["users"])

    @cached_property
    def split_data(self) -> SplitData:
        """The data set, split and slots of the run; the data are loaded again and checked if need be.

        Raises:
            RunError: the data were made in memory and not passed, or have changed since.
        """
        origin = read_json(self.folder / "data.json")
        data = self._given
        if data is None:
            if origin["name"] is None:
                raise RunError(f"{self.id}: trained on data made in memory; pass them: load_run({self.id!r}, data=...)")
            with warnings.catch_warnings(action="ignore", category=DataWarning):  # said when it was trained
                data = load_again(origin, self._data_dir)
        if data.fingerprint != origin["fingerprint"]:
            trained, given = named_data(self.metrics["dataset"], origin), named_data(data.name, data.origin or {})
            if self._given is not None and trained != given:
                raise RunError(
                    f"{self.id}: was trained on {trained} (fingerprint {origin['fingerprint'][:12]}), not on {given} "
                    f"(fingerprint {data.fingerprint[:12]}); pass the data it was trained on, or train on these"
                )
            raise RunError(
                f"{self.id}: the data set {data.name!r} has changed since training (fingerprint "
                f"{data.fingerprint[:12]}, was {origin['fingerprint'][:12]}); restore it, or train again"
            )
        split_data = SplitData.open(data, self.config)
        sampled = origin.get("sampled")  # a dry run was of a sample
        return split_data.sample(sampled, self.config.seed) if sampled else split_data

    @cached_property
    def interest(self) -> Interest | None:
        """The pre-trained interest, None for models without hypergraphs."""
        from hyperctr.runs.scoring import load_interest

        return load_interest(self.folder, self.split_data, self.config)

    @cached_property
    def model(self) -> ClickModel:
        """The trained model, in evaluation mode, on the CPU."""
        from hyperctr.runs.scoring import build_model
        from hyperctr.training.checkpoint import load_parameters, load_tensors

        model, path = build_model(self.split_data, self.config, self.interest), self.folder / "model.safetensors"
        load_parameters(model, load_tensors(path)[0], path)
        return model.eval()

    def predict(
        self,
        users: Sequence[Any],
        items: Sequence[Any],
        timestamps: Sequence[int] | None = None,
        *,
        prior: float = PRIOR,
        unknown: Literal["error", "cold"] = "error",
        history: pd.DataFrame | None = None,
    ) -> NDArray[np.float64]:
        """Return click probabilities of user-item pairs, float64 ``[n]`` in the order given.

        They are calibrated on validation clicks with one item not clicked for each, so they hold where half of the
        pairs are clicks; for another share give it as ``prior``. A pair that is itself a training click (same user,
        item and timestamp) is hidden from its own prediction. A run recorded before runs were calibrated gives the
        sigmoid of its logits, with a warning.

        Args:
            users: user ids of the data set, ``[n]``.
            items: item ids of the data set, ``[n]``.
            timestamps: when, ``[n]``; None means the end of the data set's clock, or just after the user's last click
                in ``history`` if that is later.
            prior: the share of clicks among the pairs for which the probabilities are to hold, see
                :meth:`~hyperctr.metrics.platt.Calibration.probabilities`.
            unknown: ``"cold"`` scores users and items that the data set does not have: such a user has no history but
                that in ``history``, such an item its modalities alone, where the folder of a ``table`` has them.
            history: newer clicks ``user_id, item_id, timestamp[, clicked]``, which lengthen the histories of their
                users; nothing is trained, and nobody else's score moves.

        Raises:
            ConfigError: ``prior`` is not strictly between 0 and 1.
            DataError: an unknown id; the message names it.
            RunError: another prior is asked of a run that is not calibrated.
            ShapeError: the arguments differ in length.
        """
        from hyperctr.runs.grown import grown_model, moments_of
        from hyperctr.runs.prediction import score_pairs

        calibration = self.calibration
        if calibration is None:
            again = f"run {self.id} was recorded before runs were calibrated; train it again for calibrated ones"
            if prior != PRIOR:
                raise RunError(f"its probabilities hold for no known share of clicks, so not for {prior}: {again}")
            warnings.warn(f"probabilities are raw, the sigmoid of the logits: {again}", DataWarning, stacklevel=2)
            calibration = Calibration()
        calibration.probabilities(0.0, prior)  # a wrong prior is told before anything is scored

        split_data, model = self.split_data, None
        latest = int(split_data.data.timestamp.max())
        if unknown == "cold" or history is not None:
            new_items = (
                [] if unknown == "error" else [*items, *([] if history is None else history["item_id"].tolist())]
            )
            model, split_data = grown_model(self, users if unknown == "cold" else [], new_items, history)
        data = split_data.data
        times = moments_of(users, latest, history) if timestamps is None else np.asarray(timestamps)
        if not len(times):
            times = times.astype(np.int64)  # no pairs: an empty list has no type of its own
        if not len(users) == len(items) == len(times):
            raise ShapeError(f"users, items and timestamps have lengths {len(users)}, {len(items)} and {len(times)}")
        if times.dtype.kind not in "iu":
            raise DataError(f"timestamps must be integers, got {times.dtype}")
        user, item = data.users_to_index(users), data.items_to_index(items)
        logits = score_pairs(model or self.model, split_data, user, item, times.astype(np.int64))
        return calibration.probabilities(logits, prior)

    def explain(self, user: Any, item: Any, timestamp: int | None = None) -> pd.DataFrame:
        """Explain one prediction by the hyperedges around the user and the item.

        Args:
            user: an id of the data set.
            item: an id of the data set.
            timestamp: when; None means the end of the data set's clock, as for :meth:`predict`. (The inspector explains
                a pair when it was clicked.)

        Returns:
            One row per hyperedge, largest effect first: ``slot``, ``modality``, ``side`` (which hypergraph),
            ``hyperedge`` (id of the item or user it comes from), ``members`` (ids), ``contribution`` (score with it
            minus score without it). ``frame.attrs["score"]`` is the score itself, what :meth:`predict` gives.

        Raises:
            DataError: an unknown id.
            ConfigError: the run's model has no hypergraphs.
        """
        from hyperctr.model.explain import explain
        from hyperctr.runs.prediction import pair_targets

        split_data, model = self.split_data, self.model
        data = split_data.data
        time = np.array([data.timestamp.max() if timestamp is None else timestamp], dtype=np.int64)
        index = data.items_to_index([item])
        target = pair_targets(split_data, data.users_to_index([user]), index, time)
        score, hyperedges = explain(model, target, int(index[0]), self.calibration)
        ids = {"user": (data.items, data.users), "item": (data.users, data.items)}
        rows = []
        for edge in hyperedges:
            sources, nodes = ids[edge.side]
            place = (split_data.slots.labels[edge.slot], data.modalities[edge.modality], edge.side)
            rows.append((*place, sources[edge.label], [nodes[member] for member in edge.members], edge.value))
        columns = ["slot", "modality", "side", "hyperedge", "members", "contribution"]
        frame = pd.DataFrame(rows, columns=columns)
        frame.attrs["score"] = score
        return frame


def load_run(name: str, data: Dataset | None = None, *, data_dir: str | Path | None = None) -> Run:
    """Load a finished run by its id (or the beginning of it).

    Args:
        name: the run's id, the beginning of it, or its folder.
        data: what it was trained on, if that was made in memory.
        data_dir: where the files of the data set lie now, if they have moved since.

    Raises:
        RunError: there is none, it is not finished, or its data have changed.

    >>> run = load_run("0123")  # doctest: +SKIP
    """
    return Run(find_run(name), data, data_dir)
