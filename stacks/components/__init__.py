"""Components of the programs: one a file. Signature (name, args, opts); children are named from the component."""
