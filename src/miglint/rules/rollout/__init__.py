"""Rules about the rollout: old code and new schema meet during a deploy."""
