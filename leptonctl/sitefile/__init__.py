"""Text in, a frozen and complete Site out, or every problem at once with its line."""
