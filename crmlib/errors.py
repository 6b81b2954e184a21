"""What the workbook says when it cannot go on: one message for a person, never a traceback."""


class Refused(Exception):
    """The work cannot go on, and the message says what was found, where, and how to mend it.

    >>> raise Refused("No client 'acme' under data/.")
    Traceback (most recent call last):
    crmlib.errors.Refused: No client 'acme' under data/.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for its own rendering: a reader of a notebook gets the
        # sentence, not thirty lines of the library's insides.
        return [f"{type(self).__name__}: {self}"]


class ConfigError(Refused):
    """A `client.yml` or a parameter that cannot be used."""


class SourceError(Refused):
    """A delivered file that cannot be read as what `client.yml` says it is."""


class SchemaError(Refused):
    """A table that lacks what its contract in `crmlib.tables` promises."""


class MissingStep(Refused):
    """A notebook was opened before the step that writes its input has run."""


class FigureError(Refused):
    """A figure that breaks a principle every figure keeps (`crmlib.principles`)."""
