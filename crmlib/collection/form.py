"""What a client says of how a table writes its numbers and dates."""

from dataclasses import dataclass

from crmlib.client import Client, shown


@dataclass(frozen=True)
class Form:
    """What a client says of a table's numbers and dates, and where."""

    table: str
    config: str = "client.yml"
    decimal: str | None = None
    day_first: bool | None = None
    date_format: str | None = None
    zone: str = "UTC"
    currency: str | None = None


def said(client: Client, table: str) -> Form:
    """What `client.yml` says of a table's numbers and dates; of a source by name it says nothing."""
    source = client.tables.named().get(table)
    if source is None:
        return Form(table, shown(client.config), zone=client.timezone, currency=client.currency)
    return Form(
        *(table, shown(client.config), source.decimal, source.day_first, source.date_format),
        *(client.timezone, client.currency),
    )
