"""What the function weighs and how long it takes, beside a function that does nothing and one in Python that reads the same."""
