"""How relations between customers are read: the `relations` part of `client.yml`."""

from pydantic import Field, model_validator

from crmlib.rules import Rule


class Relations(Rule):
    """Which kinds of relation carry influence and which way, and how far anybody looks.

    A kind that is named nowhere is a kind of its own: it is shown, and carries no influence.
    """

    one_way: tuple[str, ...] = ("influencer",)  # from whom to whom, as delivered
    both_ways: tuple[str, ...] = ("partner",)
    against: tuple[str, ...] = ("competitor",)  # binds nobody: left out of communities
    hops: int = Field(3, ge=1, le=6)  # of reach; further on nearly everybody is reached
    damping: float = Field(0.85, gt=0, lt=1)  # of PageRank, as published
    introduced_within: int = Field(3, ge=1, le=6)  # ties; who is further away owes nobody a favour
    key_ties: int = Field(2, ge=1)  # to key customers, that make one potential by the graph
    window_days: int = Field(180, ge=30)  # before and after an influencer became dissatisfied
    at_least: int = Field(8, ge=5)  # customers an influencer reaches, below which no effect is told

    @model_validator(mode="after")
    def _once(self) -> "Relations":
        named = [*self.one_way, *self.both_ways, *self.against]
        twice = sorted({kind for kind in named if named.count(kind) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands in two lists; a kind carries influence one way")
        return self
