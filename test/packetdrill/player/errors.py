"""What can go wrong with a script, as packetdrill tells it: file, line, what."""


class ScriptError(Exception):
    """The script is not in the language, or asks for what the player does not do."""


class Failure(Exception):
    """The stack did something else than the script says."""
