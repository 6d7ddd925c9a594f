"""Fixtures that tests of several packages share; each module under tests/fixtures is a plugin."""

pytest_plugins = [
    "tests.fixtures.aws",
    "tests.fixtures.live",
    "tests.fixtures.p2p",
    "tests.fixtures.postgres",
]
