"""The training loop: stages, validation points, early stopping, checkpoints; any model of the harness fits in.

Every random draw is keyed by what it is for (epoch, step), never taken from a running generator. A run that is killed
and resumed therefore sees the same shuffles, negatives and dropout masks, and ends bit-identical on the CPU.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from hyperctr import distributed
from hyperctr.averaging import WeightAverage
from hyperctr.data.negatives import candidate_pool
from hyperctr.gradient_sums import sum_gradients
from hyperctr.model.base import ClickModel, Stage
from hyperctr.model.history import Targets
from hyperctr.progress import begin_stage, show_curve
from hyperctr.runtime import derive_seed, generator
from hyperctr.sparse_adam import SparseAdamW, large_tables, settled
from hyperctr.training import checkpoint
from hyperctr.training.checkpoint import pack, unpack
from hyperctr.training.events import EventLog, peak_memory_mib
from hyperctr.training.negatives import NegativeSampler, NonClickSampler
from hyperctr.training.schedule import Progress, Schedule
from hyperctr.training.scoring import targets_of
from hyperctr.training.sharing import score_together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hyperctr.config import Config
    from hyperctr.split_data import SplitData


class Trainer:
    """Fit one model; see :func:`hyperctr.train` for the whole run.

    The model and its context must be on ``device`` already; ``events.jsonl`` and ``state/`` go to ``folder``, and
    without one everything stays in memory.
    """

    def __init__(
        self, model: ClickModel, split_data: SplitData, config: Config, device: torch.device, folder: Path | None = None
    ) -> None:
        self.model, self.split_data, self.config, self.device = model, split_data, config, device
        self.state_file = folder / "state" / "latest.safetensors" if folder else None
        self.events_file = folder / "events.jsonl" if folder else None
        self.group = distributed.current()
        data, self.rows = split_data.data, split_data.split.train
        # All that an epoch needs lies on the device: a step copies nothing to it.
        self.targets = targets_of(split_data, self.rows, np.arange(len(self.rows))).to(device)
        self.items = torch.from_numpy(data.item_index[self.rows]).to(device)
        # What is never drawn as a negative is a hint of what was clicked, so training must not know any other click.
        avoided = data.clicks if config.negatives_avoid == "all" else self.rows
        self.sampler = NegativeSampler(data, avoided, self.targets.user, config.seed)
        self.non_clicks = None
        if config.non_click_negatives:
            self.non_clicks = NonClickSampler(split_data, self.targets.user, config.seed)
        sizes = {"count": config.validation_candidates, "max_rows": config.validation_clicks}
        self.pool = candidate_pool(data, split_data.split, "validation", seed=config.seed, **sizes)
        self.schedule = Schedule(len(self.rows), config.batch_size, config.points_per_epoch, config.rounds_per_epoch)
        self.steps_per_epoch, self.rounds_per_epoch = self.schedule.steps_per_epoch, self.schedule.rounds_per_epoch
        self.stages = tuple(model.fit_plan(self))
        self.optimisers: dict[str, list[Optimizer]] = {}
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        rounds = config.average_epochs * self.rounds_per_epoch
        self.average = WeightAverage(model, rounds) if rounds else None
        self._open_round = (-1, -1)

    def optimiser(self, parameters: Iterable[torch.nn.Parameter], learning_rate: float | None = None) -> Optimizer:
        """Return the optimiser of the settings over ``parameters``; weight decay falls on matrices only."""
        config, chosen = self.config, list(parameters)
        groups = [
            {"params": [p for p in chosen if p.dim() > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in chosen if p.dim() <= 1], "weight_decay": 0.0},
        ]
        rate = config.learning_rate if learning_rate is None else learning_rate
        if config.optimiser == "adagrad":
            return torch.optim.Adagrad(groups, lr=rate)
        return torch.optim.AdamW(groups, lr=rate, fused=self.device.type in {"cpu", "cuda"})

    def fit(self, *, resume: bool = False, dry_run: bool = False) -> Progress:
        """Train until early stopping and leave the best parameters (by validation AUC) in the model."""
        if resume and self.state_file is not None and self.group.agreed(self.state_file.exists()):
            self._restore()
        self._same_everywhere()
        log = EventLog(self.events_file if self.group.first else None, self.progress.step)
        self._clock = time.perf_counter()
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            while not self.progress.done:
                self._fit_stage(log, dry_run)
        if self.best:
            self.model.load_state_dict(self.best)
        self.model.eval()
        self._open_round = (-1, -1)
        return self.progress

    def _fit_stage(self, log: EventLog, dry_run: bool) -> None:
        """Go through the present stage, from its first step or from where a checkpoint left it."""
        progress, stage = self.progress, self.stages[self.progress.stage]
        last = 1 if dry_run else (stage.epochs or self.config.epochs) * self.steps_per_epoch
        if progress.stage_step == 0 and stage.begin is not None:
            torch.manual_seed(derive_seed(self.config.seed, "stage", progress.stage))
            stage.begin()
            if self.average:
                self.average.restart()
            self._same_everywhere()
        self._open_round = (-1, -1)
        losses, per_epoch = [], self.steps_per_epoch
        show_curve(log.points)
        with begin_stage(stage.title, last / per_epoch, "epoch", done=progress.stage_step / per_epoch) as shown:
            for within in range(progress.stage_step, last):
                losses.append(self.train_step(progress.step, stage))
                progress.step, progress.stage_step = progress.step + 1, within + 1
                progress.idle += not stage.judged
                shown.step(progress.stage_step / per_epoch)
                if self.schedule.is_point(progress.step - 1) or progress.stage_step == last:
                    shown.note, losses = self._point(stage, log, torch.stack(losses).mean()), []
                    if self._is_over(stage, ended=progress.stage_step == last):
                        if stage.judged:
                            shown.end(progress.ending(per_epoch, early=progress.stage_step > 0))
                        return

    def _point(self, stage: Stage, log: EventLog, loss: Tensor) -> str:
        """Validate, keep the parameters if they are the best, write the point, and return it in words."""
        with self.average.in_place() if self.average else nullcontext():
            validation = self.validate()
            self._keep_if_best(validation, stage)
        step, mean = self.progress.step, float(self.group.total(loss))
        point = {"step": step, "epoch": step / self.steps_per_epoch, "loss": mean, "validation_auc": validation}
        point |= {"examples": self.schedule.examples(step), "seconds": round(time.perf_counter() - self._clock, 3)}
        log.write(**point, memory_mib=round(peak_memory_mib(self.device), 1), stage=stage.name)
        return f"loss {mean:.4f}, validation AUC {validation:.4f}"

    def validate(self) -> float:
        """Return the pooled AUC on the fixed validation pool."""
        self._settle()
        self._average_statistics()
        scores = score_together(self.model, self.split_data, self.pool)
        return float(self.group.agreed(None if scores is None else scores.wins.value))

    def train_step(self, step: int, stage: Stage | None = None) -> Tensor:
        """Take one optimisation step and return its loss, a detached scalar.

        The number of the step, from 0 on, decides its batch, negatives and dropout; the stage is the last by default.
        """
        stage = stage or self.stages[-1]
        epoch, within = divmod(step, self.steps_per_epoch)
        if within == 0 or not hasattr(self, "_order"):
            self._start_epoch(epoch)
        # Step 1: the batch, clicks of the epoch's shuffle with their negatives. -> items [B, 1 + n]
        round_start, round_end = self.schedule.round(within)
        batch = self._batches(within, within + 1)
        chosen = batch[self.group.share(len(batch))]
        targets = self._targets(chosen, batch)
        items = torch.cat([self.items[chosen, None], self._negatives[chosen]], 1)
        # Step 2: what the round shares, and the loss of the stage
        another = () if self.group.first else (self.group.rank,)  # process, with dropout masks of its own
        torch.manual_seed(derive_seed(self.config.seed, "dropout", step, *another))
        self.model.train()
        with self._autocast():
            if self._open_round != (epoch, round_start):
                clicks = self.targets.click[self._batches(round_start, round_end)]
                self.model.begin_round(clicks, round_end - round_start)
                self._open_round = (epoch, round_start)
            labels = torch.zeros(items.shape, device=self.device)
            labels[:, 0].fill_(1.0)
            loss = self._loss(stage, targets, items, labels, len(batch))
        # Step 3: gradients, clipped if so set, and a step of each optimiser
        self.model.zero_grad(set_to_none=True)
        if len(targets):
            loss.backward()
        if within == round_end - 1:
            with self._autocast():
                self.model.end_round()
        optimisers = self._optimisers(stage)
        learnt = [p for optimiser in optimisers for group in optimiser.param_groups for p in group["params"]]
        sum_gradients(self.group, learnt)
        if self.config.clip_norm:
            torch.nn.utils.clip_grad_norm_(learnt, self.config.clip_norm)
        for optimiser in optimisers:
            optimiser.step()
        if self.average and within == round_end - 1:
            self._settle()
            self.average.update()
        return loss.detach()

    def _settle(self) -> None:
        """Bring the rows of large tables up to date."""
        for table in self.model.tables():
            settled(table)

    # ---- several processes: each has a share of every batch (hyperctr.distributed)
    def _targets(self, chosen: Tensor, batch: Tensor) -> Targets:
        """Return the targets of this process's clicks, which know those of the whole batch."""
        targets = self.targets[chosen]
        return targets if self.group.size == 1 else replace(targets, batch=self.targets.click[batch])

    def _loss(self, stage: Stage, targets: Targets, items: Tensor, labels: Tensor, batch: int) -> Tensor:
        """Return what this process adds to the mean loss of a batch of so many clicks, of which it may have none."""
        if not len(targets):
            return torch.zeros((), device=self.device)
        loss = self.model.training_loss(stage.name, targets, items, labels)
        return loss if self.group.size == 1 else loss * (len(targets) / batch)

    def _same_everywhere(self) -> None:
        """Give all processes the first one's parameters and buffers; equal gradients then keep them equal."""
        for message in self.group.broadcast(self.model.state_dict().values()):
            message.wait()

    def _average_statistics(self) -> None:
        """Give all processes the mean of the running statistics of batch normalisation, which each has of its share."""
        for module in self.model.modules() if self.group.size > 1 else ():
            if isinstance(module, torch.nn.BatchNorm1d):
                for statistic in module.buffers(recurse=False):
                    statistic.copy_(self.group.total(statistic) / self.group.size)

    def _autocast(self) -> torch.autocast:
        precision, kind = self.config.precision, self.device.type
        bf16 = precision == "bfloat16" or (precision == "auto" and kind == "cuda")
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=bf16)

    def _batches(self, first: int, end: int) -> Tensor:
        """Return the clicks of some of the epoch's batches, in its order."""
        size = self.config.batch_size
        return self._order[first * size : end * size]

    def _optimisers(self, stage: Stage) -> list[Optimizer]:
        if stage.name not in self.optimisers:
            self.optimisers[stage.name] = list(stage.optimisers() if stage.optimisers else self._usual_optimisers())
        return self.optimisers[stage.name]

    def _usual_optimisers(self) -> list[Optimizer]:
        """Return one optimiser over everything, and one of their own over large embedding tables."""
        config = self.config
        plain = config.optimiser == "adam" and not config.clip_norm
        large = large_tables(self.model.tables()) if plain else []
        rest = [parameter for parameter in self.model.parameters() if all(parameter is not table for table in large)]
        tables = [SparseAdamW(large, lr=config.learning_rate, weight_decay=config.weight_decay)] if large else []
        return [self.optimiser(rest), *tables]

    def _start_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch's clicks, and their negatives, on the device."""
        shuffle = generator(self.device, self.config.seed, "shuffle", epoch)
        self._order = torch.randperm(len(self.rows), generator=shuffle, device=self.device)
        self._negatives = self.sampler.sample(self.config.negatives, "epoch", epoch)
        if self.non_clicks is not None:
            share = self.config.non_click_negatives
            self._negatives = self.non_clicks.replace_first(self._negatives, share, "epoch", epoch)

    # ---- points, early stopping, checkpoints ----
    def _keep_if_best(self, validation: float, stage: Stage) -> None:
        """Keep the parameters if no earlier ones of a judged stage were better."""
        progress = self.progress
        if stage.judged and validation > progress.best_auc:
            progress.best_auc, progress.best_step, progress.idle = validation, progress.step, 0
            self.best = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def _is_over(self, stage: Stage, *, ended: bool) -> bool:
        """Go on to the next stage or stop, save the state; tell whether the stage is over."""
        progress = self.progress
        waited = progress.step - progress.best_step - progress.idle
        progress.done = stage.judged and waited >= self.config.patience * self.steps_per_epoch
        if ended:
            progress.stage, progress.stage_step = progress.stage + 1, 0
            progress.done |= progress.stage == len(self.stages)
        for optimiser in chain.from_iterable(self.optimisers.values()):
            if isinstance(optimiser, SparseAdamW):  # saved or not, so that both go on with the same bits
                optimiser.settle()
        if self.state_file is not None and self.group.first:
            tensors = pack("model", self.model.state_dict())
            tensors |= pack("average", self.average.tensors()) if self.average else {}
            tensors |= checkpoint.pack_optimisers(self.optimisers)
            better = self.best if progress.best_step == progress.step else {}
            checkpoint.save_state(self.state_file, tensors, better, vars(progress))
        return ended or progress.done

    def _restore(self) -> None:
        tensors, metadata = checkpoint.load_tensors(str(self.state_file))
        checkpoint.load_parameters(self.model, unpack("model", tensors), str(self.state_file))
        if self.average:
            self.average.restore(unpack("average", tensors))
        begun = {name.split("/")[1] for name in tensors if name.startswith("optimiser/")}
        begun_stages = (stage for stage in self.stages if stage.name in begun)
        checkpoint.restore_optimisers({stage.name: self._optimisers(stage) for stage in begun_stages}, tensors)
        self.progress = Progress(**metadata)
        if self.progress.best_step:
            best, _ = checkpoint.load_tensors(checkpoint.best_file(str(self.state_file), self.progress.best_step))
            self.best = {name: value.to(self.device) for name, value in best.items()}
