"""What keeps a process from starting, said in one line."""


class StartError(Exception):
    """The command ends with this message and ``exit_code``, without a traceback."""

    exit_code = 1
