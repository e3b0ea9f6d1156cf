"""Pulumi programs, one a tier and cloud: each wires components from `components/` into a stack. Clouds come later."""
