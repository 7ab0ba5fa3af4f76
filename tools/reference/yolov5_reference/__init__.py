"""YOLOv5 v7.0 in PyTorch, written from its published architecture, constants and formulas; it shares no code with any other implementation.

`description` and `network` make the model, `assignment` and `loss` train it, `validation` and `detection` use it, `checks` holds all of
that to recorded vectors. The state dictionaries have v7.0's names.
"""
