"""What every test shares."""

from tests.append_only import allow_emptying

allow_emptying()
