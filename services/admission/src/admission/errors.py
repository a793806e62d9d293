"""What the adapter refuses: to answer what is no review, and to judge what nobody can."""

from http import HTTPStatus
from typing import ClassVar

from chassis.errors import InvalidArgument, Kind, Unavailable


class NoReview(InvalidArgument):
    """The request is no AdmissionReview of admission.k8s.io/v1 that can be answered; `status` is HTTP's."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class NoSuchPath(NoReview):
    """There is nothing at this path."""

    status = HTTPStatus.NOT_FOUND


class NotPosted(NoReview):
    """Reviews are posted."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class ReviewTooLarge(NoReview):
    """The body is larger than accepted."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ReviewTooSlow(NoReview):
    """The body did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class Unreadable(InvalidArgument):
    """An object of a kind that has Pods, whose images cannot be read."""


class NotJudged(Unavailable):
    """Nobody could tell whether the images may run, so they may not.

    `code` tells a reader why; `verifier_error` is the kind of the verifier's refusal, None where it was not asked.
    """

    def __init__(self, code: str, message: str, verifier_error: Kind | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.verifier_error = verifier_error
