"""Every kind of error that the API answers with: its stable name, its statuses, what it means.

docs/server.md shows this table, and a test compares the two. Names are never given a new meaning.
"""

import msgspec

URN = "urn:foodsentry:problem:"


class ProblemKind(msgspec.Struct, frozen=True):
    """One kind of error."""

    status: int
    says: str


KINDS: dict[str, ProblemKind] = {
    "malformed-body": ProblemKind(400, "The body is no JSON in UTF-8, or a number is out of range"),
    "sign-in-needed": ProblemKind(401, "Neither a session nor a token, or the session has ended"),
    "token-refused": ProblemKind(
        401, "The token is unknown, expired or revoked, or its maker left"
    ),
    "forbidden": ProblemKind(403, "The role does not allow it"),
    "csrf": ProblemKind(403, "A change without the session's CSRF token, or from another site"),
    "password-change-needed": ProblemKind(403, "A new password must be chosen on /me first"),
    "scope-missing": ProblemKind(403, "The token has not the scope that this operation asks for"),
    "link-used": ProblemKind(404, "The one-time link cannot be used any more"),
    "not-found": ProblemKind(404, "Nothing of that name, or nothing within your sight"),
    "method-not-allowed": ProblemKind(405, "`Allow` names the methods that this path has"),
    "alert-closed": ProblemKind(409, "The alert is closed already"),
    "alert-unready": ProblemKind(409, "The alert's state forbids the move"),
    "case-changed": ProblemKind(
        409, "Somebody changed the case; `state` and `version` say how it is now"
    ),
    "case-unready": ProblemKind(409, "The step can't be made now; `errors` says every reason"),
    "confirmation-over": ProblemKind(409, "It was answered or withdrawn already"),
    "verdict": ProblemKind(409, "The alert can't be judged (so)"),
    "proposal": ProblemKind(409, "The proposal is decided already"),
    "silence-over": ProblemKind(409, "The silence has ended already"),
    "task-over": ProblemKind(409, "The task is withdrawn already"),
    "look-running": ProblemKind(409, "Somebody looks at that camera just now"),
    "not-keepable": ProblemKind(409, "The picture is too old, or enough of its look are kept"),
    "no-agent": ProblemKind(409, "Only an agent in use signs in at the broker"),
    "webhook-state": ProblemKind(409, "The webhook or its message is in that state already"),
    "row-changed": ProblemKind(409, "Somebody else changed the row since `version` of it"),
    "row-in-use": ProblemKind(409, "Something in use lies in it, or what it lies in is retired"),
    "file-changed": ProblemKind(409, "The file or the ledger is not what its token was given for"),
    "too-large": ProblemKind(413, "The body is larger than the API takes"),
    "unsupported-media-type": ProblemKind(
        415, "The body is of another type than `application/json`"
    ),
    "invalid-request": ProblemKind(422, "A parameter or field is wrong; `errors` says which"),
    "invalid-cursor": ProblemKind(422, "`before` is not the `next` of a page of this list"),
    "case-incomplete": ProblemKind(422, "What was given with the step won't do; `errors` says why"),
    "file-refused": ProblemKind(422, "A file is not taken; `errors` says which and why"),
    "cause-text": ProblemKind(422, "This cause of a wrong alert needs words of your own"),
    "silence-refused": ProblemKind(422, "The silence is wider or longer than may be"),
    "webhook-refused": ProblemKind(422, "Such a webhook cannot be; `errors` says why"),
    "too-many-requests": ProblemKind(
        429, "The token or session asks too often; `Retry-After` says until when"
    ),
    "defect": ProblemKind(500, "A mistake of ours; the log knows it by the id in `instance`"),
    "ledger-down": ProblemKind(503, "The ledger cannot be reached; try again"),
    "series-down": ProblemKind(503, "The time-series store cannot be reached; try again"),
}
"""By their name, the last part of `type`."""


def of_status(status: int) -> list[str]:
    """The kinds that come with this status."""
    return [name for name, kind in KINDS.items() if kind.status == status]
