"""What a destination takes: one association proposes each class and syntax results are written in; sends nothing."""

from pynetdicom.presentation import build_context

from dicom_node.delivery.link import Link, NotTakenError
from dicom_node.result_classes import WRITTEN, Accepted

# one context for each pair: an acceptor picks a single syntax of a context, and all it takes are to be known;
# far fewer than the 128 that an association can have (PS3.8 9.3.2.2)
_PROPOSED = [build_context(sop_class, [syntax]) for sop_class, syntaxes in WRITTEN.items() for syntax in syntaxes]


def ask(link: Link) -> Accepted:
    """Ask a destination which classes it takes in which transfer syntaxes, and close the link.

    Returns
    -------
    Accepted
        Empty where it takes none.

    Raises
    ------
    TransientError
        If it is away, rejects this node or does not answer: nothing is known then.
    """
    try:
        taken = {
            (str(context.abstract_syntax), str(syntax))
            for context in link.open(_PROPOSED)
            for syntax in context.transfer_syntax
        }
    except NotTakenError:
        return {}
    finally:
        link.close()
    found = {c: tuple(syntax for syntax in syntaxes if (c, syntax) in taken) for c, syntaxes in WRITTEN.items()}
    return {sop_class: syntaxes for sop_class, syntaxes in found.items() if syntaxes}
