"""What a notebook opens in one line: a data set at a preset, and what follows from it, made on first use."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.config import Config
from hyperctr.data.registry import SMOKE_PLANTED, load_dataset
from hyperctr.errors import ConfigError, DataWarning

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.splits import Split
    from hyperctr.hypergraph.incidence import Hypergraph
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.runs.run import Run
    from hyperctr.runs.split_data import SplitData
    from hyperctr.slots import Slots


def open_study(
    dataset: str, preset: str = "quick", *, seed: int = 0, data_dir: str = "", model: str = "hyperctr"
) -> NotebookStudy:
    """Load a data set and take the settings of a preset; nothing is trained yet.

    Args:
        dataset: name of a data set, see ``hyperctr data list``.
        preset: ``smoke``, ``quick`` or ``paper``.
        seed: of the run: split, candidates, weights, draws. Generated data stay those of their seed 0.
        data_dir: where the files lie; empty: ``HYPERCTR_DATA``, else the default data directory.
        model: the model that :attr:`NotebookStudy.run` trains.

    Raises:
        ConfigError: unknown preset or model. DataError: unknown data set, or missing files.

    >>> study = open_study("planted", "smoke")
    >>> study.data.num_users, study.slots.count
    (150, 2)
    """
    config = Config.for_model(model, preset, seed=seed)
    options = SMOKE_PLANTED if (dataset, preset) == ("planted", "smoke") else {}
    with _kept_warnings():
        data = load_dataset(dataset, data_dir=data_dir or None, **options)
    return NotebookStudy(data, config, preset)


@contextmanager
def _kept_warnings() -> Iterator[None]:
    """Keep data warnings off a page: they are kept with the data and the run, and shown as tables there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


@dataclass
class NotebookStudy:
    """A data set and settings, with all that follows from them computed once, when first asked for.

    Attributes:
        data: the data set.
        config: settings of the run.
        preset: the name they came from.
    """

    data: Dataset
    config: Config
    preset: str

    @cached_property
    def parts(self) -> SplitData:
        """Data, split and slots exactly as training uses them."""
        from hyperctr.runs.split_data import SplitData

        return SplitData.open(self.data, self.config)

    @property
    def split(self) -> Split:
        """The split of the settings."""
        return self.parts.split

    @property
    def slots(self) -> Slots:
        """The time slots of the settings."""
        return self.parts.slots

    @cached_property
    def interest(self) -> Interest:
        """The pre-trained interest: that of the finished run, if there is one, else pre-trained now."""
        from hyperctr.runs.run import Run
        from hyperctr.runs.store import run_id, runs_folder

        folder = runs_folder() / run_id(self.data, self.config)
        found = Run(folder, self.data).interest if (folder / "DONE").exists() else None
        if found is not None:
            return found
        from hyperctr.hypergraph.interest import pretrain_interest

        return pretrain_interest(
            self.data,
            self.split,
            self.slots,
            embedding_size=self.config.embedding_size,
            epochs=self.config.interest_epochs,
            seed=self.config.seed,
        )

    @cached_property
    def hypergraphs(self) -> dict[str, list[Hypergraph]]:
        """``"user"`` and ``"item"`` hypergraphs, one per slot."""
        from hyperctr.hypergraph.build import build_hypergraphs

        users, items = build_hypergraphs(
            self.data,
            self.split,
            self.slots,
            self.interest,
            delta=self.config.delta,
            quantile=self.config.delta_quantile,
            neighbours=self.config.neighbours or None,
            weighted=self.config.weighted,
            seed=self.config.seed,
        )
        return {"user": users, "item": items}

    @cached_property
    def run(self) -> Run:
        """The run of the settings: loaded if it is finished, else trained, from where it was stopped."""
        from hyperctr.runs.experiment import train

        with _kept_warnings():
            return train(self.data, self.config, resume=True)

    @property
    def busiest_slot(self) -> int:
        """The slot with most training clicks."""
        counts = np.bincount(self.slots.index[self.split.train], minlength=self.slots.count)
        return int(counts.argmax())

    def slot_number(self, slot: int) -> int:
        """Return a slot to draw: the one asked for, or the busiest for -1.

        Raises:
            ConfigError: there is no such slot.
        """
        if not -1 <= slot < self.slots.count:
            raise ConfigError(f"slot {slot} does not exist; slots are 0 to {self.slots.count - 1}, or -1: the busiest")
        return self.busiest_slot if slot == -1 else slot

    def labels(self, kind: str) -> np.ndarray[Any, Any]:
        """Return what to show for each node of the ``"user"`` or ``"item"`` hypergraphs: id, or title."""
        if kind == "user":
            return self.data.users
        table = self.data.item_table
        return (table["title"] if "title" in table else table["item_id"]).astype(str).to_numpy()

    def test_click(self, number: int = 0) -> tuple[Any, Any, int]:
        """Return user, item and timestamp of one test click, from a user with many training clicks.

        Args:
            number: which one; 0 is the last test click of the most active user, 1 of the next, and so on.
        """
        activity = np.bincount(self.data.user_index[self.split.train], minlength=self.data.num_users)
        test_users = self.data.user_index[self.split.test]
        order = np.unique(test_users)
        order = order[np.argsort(-activity[order], kind="stable")]
        row = self.split.test[test_users == order[number % len(order)]][-1]
        return (
            self.data.users[self.data.user_index[row]],
            self.data.items[self.data.item_index[row]],
            int(self.data.timestamp[row]),
        )

    def sizes(self, kind: str) -> pd.DataFrame:
        """Sum up the ``"user"`` or ``"item"`` hypergraphs: a row per slot and modality."""
        from hyperctr.hypergraph.stats import summary

        frame = summary(self.hypergraphs[kind])
        names = list(dict.fromkeys(frame["slot"]))
        frame["slot"] = [self.slots.labels[names.index(slot)] for slot in frame["slot"]]
        return frame

    def card(self, *, trained: bool = False) -> dict[str, Any]:
        """Return what it takes to repeat this notebook's numbers, for ``publish("reproduction", ...)``."""
        card: dict[str, Any] = {
            "data fingerprint": self.data.fingerprint[:16],
            "split": f"{self.config.split}, seed {self.config.seed}, checksum {self.split.checksum[:16]}",
            "protocol": self.config.protocol,
            "seeds": [self.config.seed],
        }
        if trained:
            facts = self.run.metrics
            card |= {"run": self.run.id, "device": facts["device"], "deterministic": facts["deterministic"]}
        return card
