"""What is known of accelerators: which chip is of which generation, and which driver it takes. Pure."""
