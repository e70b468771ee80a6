"""What a notebook opens in one line: a data set and settings, and all that follows from them, made on first use."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hyperctr.config import Config
from hyperctr.data.registry import open_data
from hyperctr.data.splits import PARTS
from hyperctr.errors import ConfigError, DataWarning, counted
from hyperctr.lazy import lazy_function
from hyperctr.parameters import check_injected
from hyperctr.runtime import former_parameter
from hyperctr.split_data import SplitData

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.data.options import Given
    from hyperctr.data.splits import Split
    from hyperctr.hypergraph.incidence import Hypergraph
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.runs.run import Run
    from hyperctr.slots import Slots


class Session:
    """A data set and settings, with split, slots, interest, hypergraphs and run, each computed when first asked for.

    Args:
        data: a data set, or the name of one (``hyperctr data list``), which is loaded.
        config: settings of the run; None: those of ``model`` at ``budget`` with ``seed``.
        budget: ``smoke`` (seconds), ``quick`` (minutes) or ``paper``; at ``smoke``, ``"planted"`` is made small, too.
        model: the model that :attr:`run` trains.
        seed: of the run: split, candidates, weights, draws. Generated data stay those of their seed 0.
        data_dir: where the files of a named data set lie; empty: ``HYPERCTR_DATA``, else the default data directory.
        data_options: options of a named data set, as a table or as texts ``key=value``.

    Attributes:
        data, config: data set, and settings of the run.

    Raises:
        ConfigError: unknown budget or model, or a model or seed beside a ``config`` that names its own.
        DataError: unknown data set, or missing files.

    >>> session = Session("planted", budget="smoke")
    >>> session.data.num_users, session.slots.count
    (150, 2)
    """

    def __init__(
        self,
        data: Dataset | str,
        config: Config | None = None,
        *,
        budget: str = "quick",
        model: str = "hyperctr",
        seed: int = 0,
        data_dir: str = "",
        data_options: Given = (),
    ) -> None:
        check_injected()
        budget = former_parameter("preset", budget, "budget")
        if config is not None and (model, seed) != ("hyperctr", 0):
            raise ConfigError("model and seed are among the settings of config: leave them out, or config")
        self.config = Config.for_model(model, budget, seed=seed) if config is None else config
        self.data = open_data(data, budget, data_dir, data_options) if isinstance(data, str) else data
        self._run: Run | None = None

    _repr_html_ = lazy_function("display.cards:session")

    def __repr__(self) -> str:
        data = self.data
        sizes = f"{counted(data.num_users, 'user')}, {counted(data.num_items, 'item')}"
        clicks = counted(int(data.clicked.sum()), "click")
        return f"Session({self.config.model} on {data.name}: {sizes}, {clicks}; {', '.join(data.modalities)})"

    @cached_property
    def split_data(self) -> SplitData:
        """Data, split and slots exactly as training uses them."""
        return SplitData.open(self.data, self.config)

    @property
    def split(self) -> Split:
        """The split of the settings."""
        return self.split_data.split

    @property
    def slots(self) -> Slots:
        """The time slots of the settings."""
        return self.split_data.slots

    @cached_property
    def interest(self) -> Interest:
        """The pre-trained interest: that of the finished run, if there is one, else pre-trained now."""
        from hyperctr.runs.run import Run
        from hyperctr.runs.scoring import interest_of
        from hyperctr.runs.store import run_id, runs_folder

        folder = runs_folder() / run_id(self.data, self.config)
        trained = Run(folder, self.data).interest if (folder / "DONE").exists() else None
        return interest_of(self.split_data, self.config) if trained is None else trained

    @cached_property
    def hypergraphs(self) -> dict[str, list[Hypergraph]]:
        """``"user"`` and ``"item"`` hypergraphs, one per slot."""
        from hyperctr.hypergraph.build import hypergraphs_of
        from hyperctr.hypergraph.settings import GraphSettings

        users, items = hypergraphs_of(self.split_data, self.interest, GraphSettings.of(self.config))
        return {"user": users, "item": items}

    @property
    def run(self) -> Run:
        """The run of the settings: loaded if it is finished, else trained, from where it was stopped."""
        from hyperctr.runs.experiment import train

        if self._run is None:
            with warnings.catch_warnings(action="ignore", category=DataWarning):  # kept with the data and the run
                self._run = train(self.data, self.config, resume=True)
        return self._run

    @property
    def busiest_slot(self) -> int:
        """The slot with most training clicks."""
        return int(np.bincount(self.slots.index[self.split.train]).argmax())

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
        """Return user, item and timestamp of the last test click of an active user: the most active one for 0.

        Raises:
            ConfigError: there is no such user.
        """
        data, test_users = self.data, self.data.user_index[self.split.test]
        activity = np.bincount(data.user_index[self.split.train], minlength=data.num_users)
        order = np.unique(test_users)
        order = order[np.argsort(-activity[order], kind="stable")]
        if number not in range(len(order)):  # a number below 0 would count from the end
            of = f"of {counted(len(order), 'user')} with test clicks, the most active first"
            raise ConfigError(f"test_click({number!r}): use a whole number from 0 to {len(order) - 1}, {of}")
        row = self.split.test[test_users == order[int(number)]][-1]
        return data.users[data.user_index[row]], data.items[data.item_index[row]], int(data.timestamp[row])

    def sizes(self, kind: str) -> pd.DataFrame:
        """Sum up the ``"user"`` or ``"item"`` hypergraphs: a row per slot and modality."""
        from hyperctr.hypergraph.stats import summary

        frame = summary(self.hypergraphs[kind])
        names = dict(zip(dict.fromkeys(frame["slot"]), self.slots.labels, strict=False))
        return frame.assign(slot=frame["slot"].map(names))

    @property
    def pairs(self) -> pd.DataFrame:
        """All pairs that models are judged on, as :func:`hyperctr.export_pool` writes them; made anew at each call."""
        from hyperctr.runs.pairs import pair_frames

        return pd.concat(pair_frames(self.split_data, self.config), ignore_index=True)

    @property
    def training_clicks(self) -> pd.DataFrame:
        """The training clicks, oldest first: user_id, item_id, timestamp."""
        from hyperctr.runs.pairs import training_clicks

        return training_clicks(self.split_data)

    @property
    def frame(self) -> pd.DataFrame:
        """The split as a table: clicks, non-clicks, users and slots of each part."""
        rows = []
        for part in PARTS:
            clicks = self.split.rows(part)
            users, slots = (len(np.unique(index[clicks])) for index in (self.data.user_index, self.slots.index))
            rows.append((part, len(clicks), len(self.split.non_clicks(part)), users, slots))
        return pd.DataFrame(rows, columns=["part", "clicks", "non_clicks", "users", "slots"])

    def card(self) -> dict[str, Any]:
        """Return what it takes to repeat the numbers of this session; of its run, too, once that was asked for."""
        card: dict[str, Any] = {
            "data fingerprint": self.data.fingerprint[:16],
            "split": f"{self.config.split}, seed {self.config.seed}, checksum {self.split.checksum[:16]}",
            "protocol": self.config.protocol,
            "seeds": [self.config.seed],
        }
        if self._run is not None:
            metrics = self._run.metrics
            card |= {"run": self._run.id, **{name: metrics[name] for name in ("device", "deterministic")}}
            if isinstance(convolution := metrics.get("convolution"), str):
                card["convolution"] = convolution
        return card
