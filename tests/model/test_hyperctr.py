"""The whole model against its dense float64 twin, and what its switches, candidates and protocols may change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.interactions import Interactions
from hyperctr.data.planted import planted
from hyperctr.model.context import Context
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import Encoded, HyperCTR
from hyperctr.model.slot_convolution import USER
from hyperctr.runs.prediction import pair_targets
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.split_data import SplitData
from tests.model.dense import Dense
from tests.small import Small, small

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
TINY = Config(embedding_size=8, layers=2, attention_heads=2, history_length=4, hidden=(7, 5), dropout=0.5)


def build(study: Small, config: Config, seed: int = 0) -> HyperCTR:
    """A model in evaluation mode, every parameter drawn anew so that none hides at zero."""
    interest = None if config.graph == "none" else study.interest
    context = Context.build(study, interest, config)
    model = HyperCTR(context, config)
    for k, parameter in enumerate(model.parameters()):
        nn.init.normal_(parameter, std=0.4, generator=torch.Generator().manual_seed(100 * seed + k))
    return model.eval()


def some_targets(study: Small) -> tuple[list[tuple[int, int, int, int]], Targets, list[int]]:
    """Four training clicks that must not see themselves, and every user at the beginning, the middle and the end."""
    clicks = study.clicks
    dropped = [1, 4, len(clicks) // 2, len(clicks) - 1]
    rows = [(clicks[c][0], clicks[c][2], clicks[c][3], c) for c in dropped]
    rows += [(u, int(study.slots.of([t])[0]), t, -1) for u in range(study.data.num_users) for t in (0, 17, 29)]
    return rows, Targets(*torch.tensor(rows).T.contiguous()), dropped


def every_item(study: Small, targets: Targets) -> torch.Tensor:
    return torch.arange(study.data.num_items).expand(len(targets), -1)


@torch.no_grad()
def logits(model: HyperCTR, targets: Targets, items: torch.Tensor, dropped: list[int]) -> torch.Tensor:
    scored: torch.Tensor = model(targets, items, torch.tensor(dropped, dtype=torch.int64))
    return scored


PLUS = {"matching": True}
VARIANTS = [
    {},
    {"protocol": "causal"},
    {"edge_information": True},
    {"graph": "bipartite"},
    {"graph": "bipartite", "protocol": "causal"},
    {"graph": "none", "layers": 0},
    PLUS,
    {**PLUS, "protocol": "causal"},
    {"attention_layers": 2, "attention_heads": 4, "layers": 1, "interest_threshold": 0.3, "weighted": False},
    {"modalities": ("textual",)},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: " ".join(map(str, changes.values())) or "paper")
def test_scores_equal_the_dense_formulas(changes):
    config = TINY.replace(**changes)
    study = small(11, rows=60, names=("visual", "textual") if not config.modalities else config.modalities)
    model = build(study, config, seed=3).double()  # a draw in which no row's hidden units are all off
    rows, targets, dropped = some_targets(study)
    found = logits(model, targets, every_item(study, targets), dropped)
    dense = Dense(study, config, model, dropped)
    expected = [[dense.logit(*row, item) for item in range(study.data.num_items)] for row in rows]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-6)
    assert found.std(1).min() > 1e-4  # candidates do differ


def test_modalities_left_out_are_not_looked_at():
    study = small(2, rows=60)
    visual = study.data.subset_modalities(["visual"])
    one = replace(
        study,
        data=visual,
        interest=replace(
            study.interest,
            degree=study.interest.degree[:, :1],
            matrix=study.interest.matrix[:, :, :1],
            modalities=("visual",),
        ),
    )
    model = build(one, TINY)
    assert not any("textual" in name for name, _ in [*model.named_parameters(), *model.named_buffers()])
    assert [H.num_groups for H in model.context.graphs.assemble()] == [1, 1]
    rows, targets, dropped = some_targets(one)
    dense = Dense(one, TINY, model, dropped)
    found = logits(model, targets, every_item(one, targets), dropped)
    assert found[0, 2] == pytest.approx(dense.logit(*rows[0], 2), abs=1e-4)


def test_matching_adds_its_term_and_nothing_else():
    study = small(3, rows=60)
    plain, switched = build(study, TINY), build(study, TINY.replace(matching=True), seed=1)
    switched.load_state_dict(plain.state_dict())
    _, targets, dropped = some_targets(study)
    items = every_item(study, targets)
    added = logits(switched, targets, items, dropped) - logits(plain, targets, items, dropped)
    with torch.no_grad():
        static = plain.items()
        window = plain.context.history.window(targets, TINY.history_length)
        expected = (plain.user_embedding[targets.user] + window.summed(static)) @ static.T
    torch.testing.assert_close(added, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_a_score_does_not_depend_on_how_candidates_and_targets_come(protocol):
    study = small(4, rows=60)
    model = build(study, TINY.replace(protocol=protocol, **PLUS))
    _, targets, dropped = some_targets(study)
    draw = torch.Generator().manual_seed(0)
    items = torch.randint(study.data.num_items, (len(targets), 1000), generator=draw)
    together = logits(model, targets, items, dropped)
    with torch.no_grad():
        state = model.refresh(torch.tensor(dropped))
        encoded = model.encode(state, targets)
        alone = torch.cat([model.score(state, encoded, targets, items[:, k : k + 1]) for k in range(20)], 1)
        for b in (0, len(targets) - 1):  # one target, one candidate
            one = targets[slice(b, b + 1)]
            single = model.score(state, model.encode(state, one), one, items[b : b + 1, :1])
            assert single.item() == pytest.approx(together[b, 0].item(), abs=1e-6)
    torch.testing.assert_close(alone, together[:, :20], rtol=0, atol=1e-6)
    order = torch.randperm(1000, generator=draw)
    torch.testing.assert_close(logits(model, targets, items[:, order], dropped), together[:, order], rtol=0, atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"protocol": "causal"}, {"graph": "bipartite"}], ids=str)
def test_new_names_for_users_and_items_permute_the_scores(changes):
    study, config = small(5, rows=60), TINY.replace(**changes, **PLUS)
    draw = np.random.default_rng(0)
    to_user, to_item = draw.permutation(study.data.num_users), draw.permutation(study.data.num_items)
    moved = renamed(study, to_user, to_item)
    model, other = build(study, config).double(), build(moved, config).double()
    state = model.state_dict()
    for name, to in (("user_embedding", to_user), ("items.embedding", to_item)):
        state[name] = state[name][np.argsort(to)]
    other.load_state_dict(state)
    _, targets, dropped = some_targets(study)
    there = replace(targets, user=torch.from_numpy(to_user)[targets.user])
    items = every_item(study, targets)
    found = logits(other, there, torch.from_numpy(to_item)[items], dropped)
    torch.testing.assert_close(found, logits(model, targets, items, dropped), rtol=0, atol=1e-10)


def renamed(study: Small, to_user: np.ndarray, to_item: np.ndarray) -> Small:
    """The same study when user u is called ``to_user[u]`` and item i ``to_item[i]``."""
    data, back = study.data, np.argsort(to_item)
    frame = data.interactions.assign(user_id=to_user[data.user_index] + 100, item_id=to_item[data.item_index] + 500)
    tables = [FeatureTable(t.name, t.values[back], t.present[back]) for t in data.features.values()]
    made = Dataset("renamed", Interactions(frame, clock="ordinal"), tables, items=data.items)
    assert (made.timestamp == data.timestamp).all() and (made.user_index == to_user[data.user_index]).all()
    return replace(study, data=made)


@pytest.mark.parametrize("graph", ["hypergraph", "bipartite"])
def test_causal_scores_read_the_latest_earlier_active_slot(graph):
    study = small(6, rows=70)
    config = TINY.replace(protocol="causal", graph=graph)
    model = build(study, config).double()
    with torch.no_grad():
        state = model.refresh()
    rows = model.context.graphs.user_rows
    user, slot = torch.arange(5).repeat_interleave(3), torch.arange(3).repeat(5)
    (values, _), (active, _) = state.slots.rows, state.slots.active
    found = model.convolution.look_up(state.slots, USER, user, slot, model.user_embedding[user])
    kinds = set()
    for b, (u, t) in enumerate(zip(user.tolist(), slot.tolist(), strict=True)):
        places = {int(rows.slot[r]): r for r in range(len(rows.node)) if rows.node[r] == u and active[r]}
        earlier = [s for s in places if s < t]
        expected = values[places[max(earlier)]] if earlier else model.user_embedding[u]
        assert torch.equal(found[b], expected)
        kinds.add(t - max(earlier) if earlier else 0)
    assert kinds >= {0, 1}


def test_hidden_clicks_do_not_show_in_any_score_of_the_step():
    """Dropping clicks from the graphs equals a graph that never had them."""
    study = small(7, rows=60)
    _, _, dropped = some_targets(study)
    model, other = build(study, TINY), build(study.without(dropped), TINY)
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        here, there = model.refresh(torch.tensor(dropped)), other.refresh()
    for side, name in enumerate(("user", "item")):
        rows, fewer = (getattr(m.context.graphs, f"{name}_rows") for m in (model, other))
        place = rows.find(fewer.node, fewer.slot)
        assert (place >= 0).all()
        left, right = here.slots.rows[side][place], there.slots.rows[side]
        torch.testing.assert_close(left, right, rtol=0, atol=1e-6)
        gone = torch.ones(len(rows.node), dtype=torch.bool).index_fill(0, place, False)
        assert not here.slots.active[side][gone].any()


def test_bfloat16_autocast_is_close_and_finite():
    study = small(8, rows=60)
    model = build(study, TINY.replace(**PLUS))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.5)
    _, targets, dropped = some_targets(study)
    items = every_item(study, targets)
    exact = logits(model, targets, items, dropped)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scored = model(targets, items, torch.tensor(dropped))
    assert scored.isfinite().all()
    torch.testing.assert_close(scored.detach().float(), exact, rtol=0, atol=0.05 * float(exact.abs().max()))
    scored.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_every_parameter_learns_and_dropout_rests_in_evaluation():
    study = small(9, rows=60)
    model = build(study, TINY.replace(**PLUS))
    _, targets, dropped = some_targets(study)
    items = every_item(study, targets)
    assert torch.equal(logits(model, targets, items, dropped), logits(model, targets, items, dropped))
    model.train()
    assert not torch.equal(logits(model, targets, items, dropped), logits(model, targets, items, dropped))
    model.eval()(targets, items, torch.tensor(dropped)).square().sum().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_embeddings_and_projections_start_where_the_interest_ended():
    study = small(10)
    context = Context.build(study, study.interest, TINY)
    model = HyperCTR(context, TINY, study.interest)
    for parameter, learned in (
        (model.user_embedding, study.interest.user_embedding),
        (model.items.embedding, study.interest.item_embedding),
    ):
        centred = learned - learned.mean(0)
        expected = 0.1 * centred / centred.std(ddof=1)
        np.testing.assert_allclose(parameter.detach().numpy(), expected, atol=1e-6)
        assert parameter.detach().std().item() == pytest.approx(0.1, rel=1e-4)
    user, item = study.interest.user_embedding.astype(np.float64), np.ones(TINY.embedding_size)
    for name, projection in study.interest.projections.items():
        # the critic's g_m of an attribute and an item vector of ones is the product of the user with what starts here
        attribute = np.eye(len(projection))
        critic = (item @ study.interest.weights[name] * (attribute @ projection)) @ user.T
        weight = model.items.projection[name].weight.detach().double().numpy()
        ours = attribute @ weight.T @ user.T
        assert weight.std(ddof=1) == pytest.approx(0.1, rel=1e-4)
        np.testing.assert_allclose(ours / np.abs(ours).max(), critic / np.abs(critic).max(), atol=1e-5)
    flat = replace(study.interest, item_embedding=np.ones_like(study.interest.item_embedding))  # not trained
    assert HyperCTR(context, TINY, flat).items.embedding.std() > 0.05
    wider = HyperCTR(context, TINY.replace(embedding_size=16), study.interest)  # other sizes start afresh
    assert wider.user_embedding.shape == (5, 16)
    weights = [wider.items.projection[name].weight for name in study.interest.projections]
    assert all(weight.shape[0] == 16 and weight.std() > 0.05 for weight in weights)


def test_no_target_has_no_score():
    study = small(3, rows=60)
    _, targets, dropped = some_targets(study)
    found = logits(build(study, TINY), targets[:0], every_item(study, targets)[:0], dropped)
    assert found.shape == (0, study.data.num_items)


def test_users_without_clicks_are_scored_alike():
    data = planted(num_users=60, num_items=20, num_interactions=300, months=12, groups=2)
    config = TINY.replace(split="temporal", ratios=(0.3, 0.1, 0.6), matching=True, interest_epochs=1)
    split_data = SplitData.open(data, config)
    model = build_model(split_data, config, interest_of(split_data, config)).eval()
    new = np.setdiff1d(np.arange(60), data.user_index[split_data.split.train])
    assert 2 <= len(new) < 30
    time = np.full(len(new), data.timestamp.max())
    targets = pair_targets(split_data, new, np.zeros_like(new), time)
    with torch.no_grad():
        scores = model(targets, torch.arange(20).expand(len(new), -1), torch.tensor([], dtype=torch.int64))
    torch.testing.assert_close(scores, scores[:1].expand_as(scores), rtol=0, atol=1e-6)
    assert scores.std(1).min() > 1e-4


def test_user_dropout_withholds_all_that_is_known_of_a_user():
    study = small(3, rows=60)
    config = TINY.replace(matching=True, dropout=0.0, user_dropout=0.5)
    model = build(study, config).double()
    _, targets, dropped = some_targets(study)
    with torch.no_grad():
        state = model.refresh(torch.tensor(dropped))
        whole = model.encode(state, targets)
        torch.manual_seed(0)
        known = torch.rand(len(targets)) >= 0.5
        torch.manual_seed(0)
        some = model.train().encode(state, targets)
    assert known.any() and not known.all()
    for now, then in ((some.group, whole.group), (some.matching, whole.matching)):
        assert now is not None and then is not None
        assert torch.equal(now[known], then[known]) and not now[~known].any()

    def tokens_of(encoded: Encoded) -> dict[int, torch.Tensor]:
        parts = (zip(part.target.tolist(), part.values, part.there, strict=True) for part in encoded.tokens)
        return {target: values[there] for part in parts for target, values, there in part}

    after, before = tokens_of(some), tokens_of(whole)
    for target, is_known in enumerate(known.tolist()):
        expected = before[target] if is_known else model.sequence.empty[None]
        torch.testing.assert_close(after[target], expected, rtol=0, atol=1e-12)
