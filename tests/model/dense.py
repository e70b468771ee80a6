"""HyperCTR written once more from Eq 1-8 in float64 numpy: dense matrices, one target and one candidate at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperctr.config import Config
from hyperctr.model.hyperctr import HyperCTR
from tests.small import Edges, Small, definitions, visible

Array = np.ndarray[Any, Any]


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def normed(x: Array) -> Array:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def doublings(seconds: int) -> int:
    """Which of ``sequence.distance`` belongs to a click so long after the target, before it if negative."""
    far = int(np.floor(np.log2(abs(seconds) + 1)))
    return 63 + far if seconds > 0 else far


class Dense:
    """Logits of ``model`` from its parameters alone, with the training clicks ``dropped`` out of the graphs."""

    def __init__(self, study: Small, config: Config, model: HyperCTR, dropped: list[int]) -> None:
        self.study, self.config = study, config
        self.p = {name: value.double().numpy() for name, value in model.state_dict().items()}
        self.user, data = self.p["user_embedding"], study.data
        self.static = self.p["items.embedding"].copy()
        for name, table in data.features.items():
            seen = table.values[table.present].astype(float)
            spread = seen.std(0)
            scaled = (table.values - seen.mean(0)) / np.where(spread > 0, spread, 1) / table.dim**0.5
            vector = np.where(
                table.present[:, None], self.linear(scaled, f"items.projection.{name}"), self.p[f"items.absent.{name}"]
            )
            self.static += vector / len(data.features)
        left = study.without(dropped)
        self.graph: dict[int, tuple[Array, Array, Array, Array]] = {}  # slot -> user, item vectors; who is active
        for t in range(study.slots.count):
            users, items = self.edges(left)
            x_user, user_on = self.convolve(0, self.user, self.static, self.edges_of(users, t))
            x_item, item_on = self.convolve(1, self.static, self.user, self.edges_of(items, t))
            self.graph[t] = (x_user, x_item, user_on, item_on)

    def linear(self, x: Array, name: str) -> Array:
        out: Array = x @ self.p[f"{name}.weight"].T + self.p.get(f"{name}.bias", 0.0)
        return out

    def edges(self, left: Small) -> tuple[Edges, Edges]:
        if self.config.graph == "none":
            return {}, {}
        least = 1 if self.config.graph == "bipartite" else 2  # an edge of a graph needs no second click
        return definitions(left, self.config.interest_threshold, weighted=self.config.weighted, least=least)

    @staticmethod
    def edges_of(edges: Edges, slot: int) -> list[tuple[frozenset[int], float, int]]:
        """Members, weight and owner of each hyperedge of a slot."""
        return [(*edge, key[2]) for key, edge in sorted(edges.items()) if key[0] == slot]

    def convolve(
        self, stack: int, x: Array, owner: Array, edges: list[tuple[frozenset[int], float, int]]
    ) -> tuple[Array, Array]:
        """Eq 5, layer after layer, for the nodes on a hyperedge; the others keep their vector.

        Member v of hyperedge e sends x_v + o_e, without edge information x_v, in the graph of clicks o_e.
        """
        degree = np.zeros(len(x))
        for members, weight, _ in edges:
            degree[sorted(members)] += weight
        for layer in range(self.config.layers if f"convolution.stacks.{stack}.layers.0.weight" in self.p else 0):
            theta, bias = (self.p[f"convolution.stacks.{stack}.layers.{layer}.{name}"] for name in ("weight", "bias"))
            total = np.zeros_like(x)
            for members, weight, label in edges:
                sent = np.zeros(x.shape[1])
                for v in members:
                    node = np.zeros_like(sent) if self.config.graph == "bipartite" else x[v]
                    told = self.config.edge_information or self.config.graph == "bipartite"
                    sent += (node + told * owner[label]) * degree[v] ** -0.5
                for v in members:
                    total[v] += weight / len(members) * sent * degree[v] ** -0.5
            x = np.where(degree[:, None] > 0, x + relu(total @ theta + bias), x)
        return x, degree > 0

    def seen(self, side: int, node: int, slot: int) -> Array:
        """The vector of a user (side 0) or item (side 1) as a target in ``slot`` sees it."""
        static: Array = (self.user, self.static)[side][node]
        earlier = [t for t in range(slot + (self.config.protocol != "causal")) if self.graph[t][2 + side][node]]
        return np.asarray(self.graph[max(earlier)][side][node]) if earlier else static

    def history(self, user: int, slot: int, timestamp: int, hidden: int) -> list[tuple[int, int, int, int]]:
        length = self.config.history_length
        clicks = visible(self.study, self.config.protocol, user, slot, timestamp, hidden, most=length)
        after = sum(when > timestamp for when, *_ in clicks)
        places = [*range(length, length + after)][::-1] + [*range(len(clicks) - after)]
        return [
            (item, int(s == slot), place, doublings(when - timestamp))
            for (when, _, item, s), place in zip(clicks, places, strict=True)
        ]

    def sequential(self, user: int, history: list[tuple[int, int, int, int]], candidate: Array) -> Array:
        """Eq 1-4, and the candidate's attention over the tokens."""
        if not history:
            return self.p["sequence.empty"]
        position, tag, distance = (self.p[f"sequence.{name}"] for name in ("position", "tag", "distance"))
        x = np.stack(
            [
                self.user[user] + self.static[i] + position[k] + tag[short] + distance[far]
                for i, short, k, far in history
            ]
        )
        x = self.scaled(normed(x), "sequence.norm")
        width = self.config.embedding_size // self.config.attention_heads
        for layer in range(self.config.attention_layers):
            name = f"sequence.layers.{layer}"
            heads = []
            for h in range(self.config.attention_heads):
                cut = slice(h * width, (h + 1) * width)
                q, k, v = (self.linear(x, f"{name}.{part}")[:, cut] for part in ("query", "key", "value"))
                attention = np.exp(q @ k.T / width**0.5)
                heads.append(attention / attention.sum(1, keepdims=True) @ v)
            x = self.scaled(
                normed(x + self.linear(np.concatenate(heads, 1), f"{name}.output")), f"{name}.norm_attention"
            )
            inner = self.linear(relu(self.linear(x, f"{name}.first")), f"{name}.second")
            x = self.scaled(normed(x + inner), f"{name}.norm_feedforward")
        weight = np.exp(x @ self.linear(candidate, "query") / self.config.embedding_size**0.5)
        return np.asarray(weight / weight.sum() @ x)

    def scaled(self, x: Array, name: str) -> Array:
        out: Array = x * self.p[f"{name}.weight"] + self.p[f"{name}.bias"]
        return out

    def logit(self, user: int, slot: int, timestamp: int, hidden: int, item: int) -> float:
        """Eq 6 and 7 for one candidate, and the terms that the switches add."""
        history = self.history(user, slot, timestamp, hidden)
        x_item = self.static[item] + (0 if self.config.graph == "none" else self.seen(1, item, slot))
        s, g = np.append(self.sequential(user, history, x_item), 1), np.append(self.seen(0, user, slot), 1)
        fused = np.einsum("ij,jik->k", np.outer(s, g), self.p["fusion.weight"])
        first = np.concatenate([self.p["from_user.weight"], self.p["from_item.weight"]], 1)
        hidden_units = relu(first @ np.concatenate([fused, x_item]) + self.p["from_user.bias"])
        out = self.linear(relu(self.linear(hidden_units, "second")), "last")
        if self.config.matching:
            total = sum((self.static[i] for i, *_ in history), np.zeros_like(s[:-1]))
            out = out + (self.user[user] + total / max(len(history), 1) ** 0.5) @ self.static[item]
        return float(out[0])
