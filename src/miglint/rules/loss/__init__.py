"""Rules about loss: data is gone afterwards."""
