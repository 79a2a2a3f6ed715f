"""`python -m cnnc` is the command `cnnc`."""

from .cli.main import main

if __name__ == "__main__":
    main()
