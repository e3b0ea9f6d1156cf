"""The stages that the verbs in `workflow.py` are made of, one a module."""
