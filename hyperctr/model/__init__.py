"""The paper's model: history and embedding, attention (Eq. 1-4), convolution (Eq. 5), fusion (Eq. 6), prediction."""
