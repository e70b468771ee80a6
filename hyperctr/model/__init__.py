"""The paper's model: embedding, attention (Eq. 1-4), convolution (Eq. 5), fusion (Eq. 6), prediction."""
