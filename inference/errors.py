"""What can go wrong in a reading, one class for each consequence.

InferenceError
  UnsuitableImageError   the image is not what the algorithm was made for: abstain, with the numbers that did not fit
  UnsuitableTextError    the text is not what the algorithm was made for: abstain, with the numbers that did not fit
  BundleError            the bundle is incomplete, changed or contradicts itself: it must not serve
  DataError              labelled data cannot be read or do not fit together: mend the data
  ProviderError          the execution provider in use is not one the configuration allows: never fall back in silence
"""


class InferenceError(Exception):
    """Root of the errors of `inference`."""


class UnsuitableImageError(InferenceError):
    """The image does not fit the algorithm; the message says what did not fit, with numbers and units."""


class UnsuitableTextError(InferenceError):
    """The text does not fit the algorithm; the message says what did not fit, and nothing of the text."""


class BundleError(InferenceError):
    """The bundle is incomplete, changed or contradicts itself."""


class ProviderError(InferenceError):
    """The execution provider in use is not one the configuration allows."""


class DataError(InferenceError):
    """Labelled data cannot be read, or image and truth do not belong together; the message names the case."""
