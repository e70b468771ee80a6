"""Item vectors against the formula; a missing modality is a learned vector, whatever is stored in its place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyperctr.baselines.items import ItemFields
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.model.embedding import ItemEncoder
from tests.small import small

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def with_features(data: Dataset, tables: list[FeatureTable]) -> Dataset:
    return Dataset("other", data.interactions, tables, items=data.items)


def test_item_vectors_are_embedding_plus_mean_of_projections():
    data = small(0).data
    encoder = ItemEncoder(data, 4).double()
    expected = encoder.embedding.detach().clone()
    for name, table in data.features.items():
        seen = table.values[table.present].astype(np.float64)
        scaled = (table.values - seen.mean(0)) / seen.std(0) / table.dim**0.5
        weight, bias = (p.detach().numpy() for p in (encoder.projection[name].weight, encoder.projection[name].bias))
        for i in range(data.num_items):
            vector = scaled[i] @ weight.T + bias if table.present[i] else encoder.absent[name].detach().numpy()
            expected[i] += torch.from_numpy(vector) / len(data.features)
    assert not all(table.present.all() for table in data.features.values())
    torch.testing.assert_close(encoder().detach(), expected, rtol=0, atol=1e-6)  # features are float32


def test_what_stands_in_the_place_of_a_missing_feature_is_never_read():
    data = small(0).data
    stored = [t.values.copy() for t in data.features.values()]
    for values, table in zip(stored, data.features.values(), strict=True):
        values[~table.present] = np.nan
    tables = [FeatureTable(t.name, values, t.present) for t, values in zip(data.features.values(), stored, strict=True)]
    outputs = []
    for seen in (data, with_features(data, tables)):
        torch.manual_seed(0)
        outputs.append(ItemEncoder(seen, 4))
    assert torch.equal(outputs[0](), outputs[1]())
    encoder = outputs[0]
    for name, table in data.features.items():  # the products that are summed over modalities rely on it
        assert not getattr(encoder, f"values_{name}")[~table.present].any()
    encoder().sum().backward()
    for name, table in data.features.items():
        missing = (~table.present).sum() / len(data.features)
        assert encoder.absent[name].grad.tolist() == pytest.approx([missing] * 4)


def test_features_stay_out_of_the_parameters_and_of_the_checkpoint():
    encoder = ItemEncoder(small(0).data, 4)
    assert set(encoder.state_dict()) == {name for name, _ in encoder.named_parameters()}
    before = encoder.embedding.detach().clone()
    encoder.reset_parameters()
    assert not torch.equal(encoder.embedding, before)


def test_two_encoders_and_the_data_set_share_one_copy_of_the_features():
    data = small(0).data
    encoders = [ItemEncoder(data, 4), ItemEncoder(data.subset_modalities(["textual"]), 8).to("cpu")]
    shared = data.features["textual"].standardised().values
    assert shared is data.features["textual"].standardised().values
    assert [e.get_buffer("values_textual").data_ptr() for e in encoders] == [shared.ctypes.data] * 2


def test_some_items_get_the_vectors_that_they_have_among_all():
    data = small(0).data
    items = torch.tensor([4, 0, 4, 2])
    for encoder in (ItemEncoder(data, 4), ItemFields(data, 4)):
        torch.testing.assert_close(encoder(items), encoder()[items])
        encoder.zero_grad()
        encoder(items)[..., 0].sum().backward()
        assert encoder.embedding.grad.count_nonzero(dim=1).bool().tolist() == [True, False, True, False, True, False]


def test_one_modality_and_none():
    data = small(0).data
    one = ItemEncoder(data.subset_modalities(["textual"]), 4)
    torch.testing.assert_close(one(), one.embedding + one.modality("textual"))
    none = ItemEncoder(with_features(data, []), 4)
    assert torch.equal(none(), none.embedding)
