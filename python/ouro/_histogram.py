# SPDX-License-Identifier: MIT
"""Pauses by length, as (border in seconds, count) in the order of the borders."""


def quantile(buckets, share):
    """The border of the bucket that the last of that share of the pauses is in; 0: there are none."""
    rest = share * sum(count for _, count in buckets)
    for border, count in buckets:
        rest -= count
        if rest <= 0:
            return border
    return 0.0
