"""Reads what an officer fills in for a step of a case: texts, times, files; says all that is wrong.

Times are typed in China's time. Files are checked here (`uploads`), in a worker's thread.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import msgspec
from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from contracts.casework import CaseVerdict, FileRef, Given, Method
from ledger.attachments import Kind, NewAttachment
from server.formats import SHANGHAI
from server.needs import Mover
from server.settings import UploadSettings
from server.uploads import PDF, Upload, UploadRefused, check_upload

FILE_FIELDS = ("photo", "document", "report", "file")
"""A form's file fields; `file` takes a picture as a photo and anything else as a document."""
NOTE_LENGTH = 2000
LINE_LENGTH = 200
_TEXTS = ("note", "second", "lab", "method", "verdict", "assignee", "outcome")
_WORDS = {"method": ("", "statutory", "rapid"), "verdict": ("", "fails", "passes")}


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong with what was filled in: a message of the catalogue with its values."""

    word: str
    values: dict[str, Any] = {}


class FormRefused(ValueError):
    """Something in the form is wrong; `troubles` is all of it."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("; ".join(one.word for one in self.troubles))


class Sent(msgspec.Struct, frozen=True):
    """A step as it was filled in. Files that come with it are not stored yet."""

    given: Given
    version: int
    """Of the case as the officer saw it."""
    key: str = ""
    """The form's own: sent twice, it is made once."""
    files: tuple[NewAttachment, ...] = ()


async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The request's form, for as long as it is needed."""
    form = await request.form()
    try:
        yield form
    finally:
        await form.close()


async def _uploaded(request: Request, _: Mover) -> AsyncIterator[FormData]:
    """The form, read only after its sender is known to be one who may make steps."""
    async for form in read_form(request):
        yield form


UploadedForm = Annotated[FormData, Depends(_uploaded)]
"""A form with files of somebody who may make steps of cases."""


def read_step(form: FormData, limits: UploadSettings) -> Sent:
    """What a step's form says. Raises FormRefused with everything that is wrong."""
    troubles: list[Trouble] = []
    texts = {name: _text(form, name) for name in _TEXTS}
    for name, text in texts.items():
        if len(text) > (NOTE_LENGTH if name == "note" else LINE_LENGTH):
            troubles.append(Trouble("case.trouble.long"))
        elif name in _WORDS and text not in _WORDS[name]:
            troubles.append(Trouble("case.trouble.choice"))
    times: dict[str, datetime | None] = {}
    for name in ("happened_at", "deadline"):
        try:
            times[name] = moment(_text(form, name))
        except ValueError:
            troubles.append(Trouble("case.trouble.time"))
    version = _text(form, "version")
    if not version.isdigit() or len(version) > 9:
        troubles.append(Trouble("case.trouble.choice"))
    files: list[NewAttachment] = []
    try:
        files = read_files(form, limits)
    except FormRefused as refused:
        troubles += refused.troubles
    if troubles:
        raise FormRefused(_once(troubles))
    given = Given(
        note=texts["note"],
        files=tuple(FileRef(one) for one in _staged(form)),
        second=texts["second"],
        happened_at=times["happened_at"],
        deadline=times["deadline"],
        lab=texts["lab"],
        method=cast(Method, texts["method"]),
        verdict=cast(CaseVerdict, texts["verdict"]),
        assignee=texts["assignee"],
        outcome=texts["outcome"],
    )
    return Sent(given, int(version), _text(form, "key")[:64], tuple(files))


def read_files(form: FormData, limits: UploadSettings) -> list[NewAttachment]:
    """The form's files, checked. Raises FormRefused that names each file that is not taken."""
    found = [
        (field, one)
        for field in FILE_FIELDS
        for one in form.getlist(field)
        if isinstance(one, UploadFile) and (one.filename or one.size)
    ]
    if len(found) > limits.most_files:
        raise FormRefused([Trouble("upload.many", {"n": limits.most_files})])
    taken, troubles = [], []
    for field, one in found:
        try:
            # One byte more than is taken says that it is too much, whatever follows.
            content = one.file.read(limits.most_bytes + 1)
            checked = check_upload(one.filename or "", content, limits)
            taken.append(_attachment(field, checked))
        except UploadRefused as refused:
            troubles.append(trouble_of(refused))
    if troubles:
        raise FormRefused(troubles)
    return taken


def trouble_of(refused: UploadRefused) -> Trouble:
    """Why a file is not taken, in words."""
    return Trouble(f"upload.refused.{refused.reason}", {"name": refused.name, "what": refused.what})


def moment(text: str) -> datetime | None:
    """A form's ``datetime-local`` as it is meant; None for nothing. Raises ValueError."""
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=SHANGHAI)
    return at.astimezone(UTC)


def _attachment(field: str, checked: Upload) -> NewAttachment:
    if field == "photo" and checked.shown is None:
        raise UploadRefused(checked.name, "nophoto")
    kind = field if field != "file" else "document" if checked.media_type == PDF else "photo"
    shown = checked.shown
    return NewAttachment(
        kind=cast(Kind, kind),
        name=checked.name,
        media_type=checked.media_type,
        content=checked.content,
        shown=shown.content if shown else b"",
        width=shown.width if shown else 0,
        height=shown.height if shown else 0,
    )


def _text(form: FormData, name: str) -> str:
    found = form.get(name)
    return found.strip() if isinstance(found, str) else ""


def _staged(form: FormData) -> list[str]:
    """Ids of files that are with the case already."""
    return [one[:64] for one in form.getlist("staged") if isinstance(one, str) and one]


def _once(troubles: list[Trouble]) -> list[Trouble]:
    """Each trouble once, in order."""
    kept: list[Trouble] = []
    for one in troubles:
        if one not in kept:
            kept.append(one)
    return kept
