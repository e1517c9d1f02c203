"""What kind of place a source is."""

from __future__ import annotations


def is_url(location: str) -> bool:
    """Return whether a location is a URL that is fetched over the network.

    Examples
    --------
    >>> is_url("https://example.org/a.fa"), is_url("data/a.fa")
    (True, False)
    """
    return location.startswith(("http://", "https://", "ftp://"))
