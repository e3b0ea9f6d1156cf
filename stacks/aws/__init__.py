"""Programs for locations on AWS: one a tier. Each makes what its arguments say and exports `LocationOutputs`."""
