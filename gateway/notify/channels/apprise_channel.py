"""Sends by an Apprise URL: WeCom, DingTalk, Feishu, SMS gateways, e-mail, and the rest it knows.

The only door to Apprise. Its own retries and deadlines are off: it is called once, within the time
limits of its sockets, and what may be tried again is read off the service's answer (`ear.py`).
"""

import warnings
from datetime import datetime
from urllib.parse import urlsplit

import apprise

from contracts.clock import Clock
from contracts.words import Severity
from gateway.notify.channels import ear
from gateway.notify.channels.address import BadAddress, fill
from gateway.notify.channels.channel import Failed, Message, Outcome, Retry, Sent
from gateway.notify.channels.text import text_for
from gateway.notify.channels.verdicts import of_answer, of_smtp, without
from gateway.notify.settings import AppriseSettings

TELL_IN_BODY = frozenset({"wecombot", "dingtalk", "feishu", "lark"})
"""Schemas of services that answer 200 and refuse in the body."""
LOCAL = frozenset(
    {"syslog", "dbus", "qt", "kde", "glib", "gnome", "windows", "macosx", "blink1", "apprise"}
)
"""Schemas that reach nobody but this machine, or would hide a second road behind the first."""
_EXAMPLES = ("someone@example.com", "+8613800000000", "13800000000")
"""Addresses with which a URL is tried at the start; one of them must do."""

_TYPES = {
    Severity.AT_ONCE: apprise.NotifyType.FAILURE,
    Severity.DEADLINE: apprise.NotifyType.WARNING,
    Severity.GUIDANCE: apprise.NotifyType.INFO,
}


class BadUrl(ValueError):
    """A URL that Apprise can do nothing with; the text does not repeat it."""


class AppriseChannel:
    """One channel; safe to use from several threads, as nothing is kept between calls."""

    def __init__(
        self, settings: AppriseSettings, template: str, secret: str, *, clock: Clock
    ) -> None:
        """`template` is the URL, with {address} and {secret} still to be put in.

        Raises BadUrl.
        """
        ear.keep_logs_here()
        load_plugins()
        self._settings = settings
        self._template = template
        self._secret = secret
        self._clock = clock
        self._schema = template.partition("://")[0].lower()
        self._private = _private_parts(template, secret, whole=bool(settings.url_file))
        self._asset = apprise.AppriseAsset(
            app_id="FoodSentry",
            app_desc="FoodSentry 邑食无忧",
            app_url="",
            async_mode=False,
            service_timeout=0,
            image_url_mask="",
            image_url_logo="",
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            secure_logging=True,
        )
        if self._schema in LOCAL:
            raise BadUrl(f"{self._schema}:// reaches nobody but this machine")
        if not any(self._plugin(one) for one in _EXAMPLES):
            raise BadUrl(f"Apprise cannot read this {self._schema or 'empty'} URL")

    @property
    def name(self) -> str:
        return self._settings.name

    def send(self, message: Message) -> Outcome:
        try:
            plugin = self._plugin(message.address)
        except BadAddress as error:
            return Failed(str(error))
        if plugin is None:
            return Failed("the channel's service does not take this address")
        text = text_for(message, self._settings.language, self._settings.body_limit)
        service = apprise.Apprise(asset=self._asset)
        service.add(plugin)
        with ear.listening() as heard:
            taken = bool(
                service.notify(
                    body=text.body,
                    title=text.title,
                    notify_type=_TYPES[message.severity],
                    body_format=apprise.NotifyFormat.TEXT,
                    interpret_escapes=False,
                )
            )
        outcome = self._outcome(taken, heard, self._clock())
        return without(outcome, *self._private, message.address)

    def close(self) -> None:
        """Nothing is kept open."""

    def _plugin(self, address: str) -> apprise.NotifyBase | None:
        """The service's object for this address; None if Apprise can't make one."""
        url = fill(self._template, address, self._secret)
        made = apprise.Apprise.instantiate(url, asset=self._asset, suppress_exceptions=True)
        if made is None:
            return None
        ear.put_on(type(made))
        made.socket_connect_timeout = made.socket_read_timeout = self._settings.timeout_s
        return made

    def _outcome(self, taken: bool, heard: ear.Heard, now: datetime) -> Outcome:
        by_body = self._schema in TELL_IN_BODY
        outcomes = [of_answer(one, now, by_body=by_body) for one in heard.answers]
        for kind in (Failed, Retry):
            found = next((one for one in outcomes if isinstance(one, kind)), None)
            if found is not None:
                return found
        if taken:
            return Sent()
        if heard.troubles:
            return Retry(heard.troubles[0])
        said = of_smtp("\n".join(heard.lines))
        if said is not None:
            return said
        marks = ("Socket Exception: ", "Exception: ")
        for line in heard.lines:
            for mark in marks:
                if mark in line:
                    return Retry(line.partition(mark)[2][:200] or "no connection")
        return Retry("the service did not take it, and Apprise does not say why")


def load_plugins() -> None:
    """Have Apprise load its plugins, one of which still asks for `imghdr`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://localhost")


def _private_parts(template: str, secret: str, *, whole: bool) -> tuple[str, ...]:
    """What must not be told of a URL: the secret, a password in it; all parts, if it was secret."""
    parts = [secret]
    try:
        split = urlsplit(template)
        parts.append(split.password or "")
        if whole:
            named = split.netloc.rpartition("@")
            parts += [split.netloc, named[2], *named[0].split(":")]
            parts += [*split.path.split("/"), *split.query.replace("=", "&").split("&")]
    except ValueError:
        parts.append(template)
    return tuple(part for part in parts if len(part) >= 6 and "{" not in part)
