"""Text that fits a value representation; knows nothing of what it says."""

import unicodedata
from decimal import Decimal


def fit(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without control characters and backslashes (PS3.5 6.1.3, 6.2)."""
    return one_line(text)[:limit].rstrip()


def one_line(text: str) -> str:
    """`text` cleaned, with single blanks between words."""
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """`text` with each control character and each backslash, which would separate values, made a blank."""
    return "".join(" " if c == "\\" or unicodedata.category(c) == "Cc" else c for c in text)


def number(value: float) -> str:
    """A value for reading: four significant digits, no idle zeros, no exponent while that fits a DS (PS3.5 6.2)."""
    digits = f"{value:.4g}"
    plain = f"{Decimal(digits):f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return plain if len(plain) <= 16 else digits


def percent(probability: float, below: str = "below", above: str = "above") -> str:
    """A probability for reading, for example "93 %"; what is not certain is never printed as 0 or 100."""
    if 0.0 < probability <= 0.005:
        return f"{below} 1 %"
    if 0.995 <= probability < 1.0:
        return f"{above} 99 %"
    return f"{100 * probability:.0f} %"
