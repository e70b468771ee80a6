"""Items as fields: each against its formula; categories come from the catalogue alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hyperctr.baselines.items import ItemFields, cluster, item_categories
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from tests.small import small

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def test_fields_are_id_category_and_normalised_projections() -> None:
    data = small(0).data
    encoder = ItemFields(data, 4).double()
    for k, parameter in enumerate(encoder.parameters()):
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(k))
    found = encoder().detach()
    assert encoder.names == ("id", "category", "visual", "textual") and encoder.width == 16
    assert found.shape == (data.num_items, 4, 4)
    category = item_categories(data)
    for i in range(data.num_items):
        assert torch.equal(found[i, 0], encoder.embedding[i])
        assert torch.equal(found[i, 1], encoder.category_embedding[category[i]])
        for k, (name, table) in enumerate(data.features.items()):
            seen = table.values[table.present].astype(float)
            scaled = (table.values[i] - seen.mean(0)) / seen.std(0) / table.dim**0.5
            x = encoder.projection[name](torch.from_numpy(scaled)).detach()
            x = (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt()
            expected = encoder.norm[name].weight * x + encoder.norm[name].bias
            expected = expected if table.present[i] else encoder.absent[name]
            torch.testing.assert_close(found[i, 2 + k], expected.detach(), rtol=0, atol=1e-5)
    assert set(encoder.state_dict()) == {name for name, _ in encoder.named_parameters()}  # features stay outside


def with_table(column: str, values: list[str | None]) -> Dataset:
    data = small(0).data
    table = pd.DataFrame({"item_id": data.items, column: values})
    return Dataset("other", data.interactions, data.features.values(), items=data.items, item_table=table)


def test_categories_are_the_data_sets_own_where_it_has_some() -> None:
    genres = ["Drama|War", "Comedy", "(no genres listed)", "Drama", None, ""]
    assert item_categories(with_table("genres", genres)).tolist() == [2, 1, 0, 2, 0, 0]
    assert item_categories(with_table("category", ["b", "a", "b", None, "c", "a"])).tolist() == [2, 1, 2, 0, 3, 1]


def test_clusters_find_planted_directions_and_read_nothing_absent() -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(5, size=400)
    centres = np.linalg.qr(draw.standard_normal((8, 5)))[0].T
    values = ((centres[truth] + 0.05 * draw.standard_normal((400, 8))) * draw.uniform(0.5, 9, (400, 1))).astype(
        np.float32
    )
    present = draw.random(400) < 0.9
    values[~present] = np.nan
    found = cluster(values, present, 5)
    assert (found[~present] == -1).all()
    assert len(set(zip(found[present], truth[present], strict=True))) == 5 == len(set(found[present]))
    assert (cluster(values, present, 5) == found).all()
    assert set(cluster(values[:3], np.array([True, False, True]), 9)) == {0, -1, 1}
    assert (cluster(values, np.zeros(400, bool), 5) == -1).all()


def test_without_categories_or_modalities_all_items_are_of_no_category() -> None:
    data = small(0).data
    bare = Dataset("bare", data.interactions, [], items=data.items)
    assert not item_categories(bare).any() and ItemFields(bare, 3)().shape == (6, 2, 3)
    one = FeatureTable("visual", np.eye(6), np.arange(6) != 2)
    codes = item_categories(Dataset("one", data.interactions, [one], items=data.items))
    assert codes[2] == 0 and set(np.delete(codes, 2)) == {1, 2}
