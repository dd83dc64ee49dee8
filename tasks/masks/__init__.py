"""Cloud masks beside the flows that use them: their scenes, their exchange, the training of their model."""
