"""The command line: one file a command. Imports everything; nothing imports it."""
