"""Refusals of this room: expected, and told to people by their code."""


class JobRefused(Exception):
    """`code` is job_unknown, ability_missing or already_asked."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
