"""The settings of `foodsentry server run`: address, stores, sessions, limits, live stream."""

from typing import Annotated

import msgspec
from msgspec import Meta

from ledger.settings import LedgerSettings
from server.look_settings import LookSettings
from timeseries.settings import SeriesSettings


class SessionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long an officer stays signed in."""

    lifetime_s: Annotated[
        float, Meta(gt=0, description="Seconds after signing in at which a session ends anyway.")
    ] = 12 * 3600.0
    idle_s: Annotated[
        float, Meta(gt=0, description="Seconds without a request after which a session ends.")
    ] = 4 * 3600.0


class SignInSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many wrong passwords are borne before further attempts are refused."""

    window_s: Annotated[
        float, Meta(gt=0, description="Seconds for which a wrong password counts.")
    ] = 900.0
    per_login: Annotated[
        int, Meta(ge=1, description="Wrong passwords for one login in the window, from anywhere.")
    ] = 8
    per_address: Annotated[
        int, Meta(ge=1, description="Wrong passwords from one address in the window, any login.")
    ] = 30
    link_s: Annotated[
        float,
        Meta(
            ge=300, description="Seconds for which a one-time link to set a password can be used."
        ),
    ] = 72 * 3600.0


class OidcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signing in by an identity provider (OpenID Connect)."""

    issuer: Annotated[
        str,
        Meta(
            pattern=r"^$|^https://[^\s?#]+$|^http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s?#]*)?$",
            description="The provider's issuer, exactly as it says it itself; empty: off.",
        ),
    ] = ""
    client_id: Annotated[str, Meta(description="What the provider knows this server as.")] = ""
    client_secret_file: Annotated[
        str,
        Meta(
            description="File that holds the client's secret, relative to this settings file; "
            "empty: the environment variable FOODSENTRY_OIDC_SECRET, or none (a public client)."
        ),
    ] = ""
    scope: Annotated[
        str, Meta(pattern=r"(^| )openid( |$)", description="Scopes asked for; openid is one.")
    ] = "openid profile"
    claim: Annotated[
        str,
        Meta(
            min_length=1,
            description="Claim of the ID token that is an officer's login. It must be one that "
            "people cannot change themselves at the provider.",
        ),
    ] = "preferred_username"
    local_sign_in: Annotated[
        bool, Meta(description="Whether passwords are taken here as well.")
    ] = True
    break_glass: Annotated[
        list[str],
        Meta(
            description="Logins that may use a password though local_sign_in is off: for the day "
            "on which the provider is away."
        ),
    ] = []
    ca_file: Annotated[
        str, Meta(description="PEM file of the authority that the provider's certificate is from.")
    ] = ""
    timeout_s: Annotated[
        float, Meta(gt=0, le=30, description="Seconds that one request to the provider may take.")
    ] = 5.0
    cache_s: Annotated[
        float, Meta(ge=0, description="Seconds for which its description and keys are kept.")
    ] = 3600.0
    leeway_s: Annotated[
        float, Meta(ge=0, le=300, description="Seconds that its clock may differ from ours.")
    ] = 60.0


class RateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often one signed-in browser may ask, in each process."""

    changes_per_minute: Annotated[
        int, Meta(ge=1, description="Changes a minute that one session may make.")
    ] = 120
    changes_at_once: Annotated[
        int, Meta(ge=1, description="Changes that one session may make at once, after a pause.")
    ] = 60
    costly_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Requests a minute of one session for what costs much: charts, previews, "
            "files of the audit trail, following its chain.",
        ),
    ] = 60
    costly_at_once: Annotated[
        int, Meta(ge=1, description="Such requests of one session at once, after a pause.")
    ] = 40
    public_misses_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Requests a minute of one address for public pages that are none: who "
            "guesses codes. Codes that are right are not counted.",
        ),
    ] = 10
    public_misses: Annotated[
        int, Meta(ge=1, description="Such requests of one address at once, after a pause.")
    ] = 30


class LiveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stream of server-sent events."""

    poll_s: Annotated[
        float, Meta(gt=0, le=10, description="Seconds between two looks into the ledger's journal.")
    ] = 0.2
    queue: Annotated[
        int, Meta(ge=8, description="Changes held for a slow browser; one more and it reconnects.")
    ] = 256
    heartbeat_s: Annotated[
        float,
        Meta(gt=0, le=30, description="Seconds of silence after which a sign of life is sent."),
    ] = 15.0
    backlog: Annotated[
        int,
        Meta(ge=1, description="Changes sent after a break; with more to tell, the page reloads."),
    ] = 1000


class WorthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When officers' verdicts are reason enough for a proposal."""

    window_days: Annotated[
        float, Meta(gt=0, le=365, description="Days whose alerts and their verdicts count.")
    ] = 30.0
    least_judged: Annotated[
        int,
        Meta(
            ge=3,
            description="Right and wrong ones that a silence needs to be proposed; the digest of "
            "a rule needs twice as many, of two sites.",
        ),
    ] = 5
    precision_below: Annotated[
        float,
        Meta(gt=0, lt=1, description="The whole 95 % interval of the precision must lie below."),
    ] = 0.5
    silence_days: Annotated[
        float, Meta(gt=0, le=30, description="Days that an accepted proposal holds, unless told.")
    ] = 14.0


class UploadSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files that officers add to a case."""

    most_bytes: Annotated[
        int, Meta(ge=1024, le=100 * 1024 * 1024, description="Bytes of one file, at most.")
    ] = 10 * 1024 * 1024
    most_files: Annotated[
        int, Meta(ge=1, le=50, description="Files added in one step, at most.")
    ] = 6
    most_pixels: Annotated[
        int,
        Meta(
            ge=10_000,
            le=200_000_000,
            description="Pixels of one picture, at most; told by its header before it is decoded, "
            "which takes four bytes a pixel.",
        ),
    ] = 50_000_000


class ApiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The API for other systems."""

    body_kb: Annotated[
        int, Meta(ge=1, le=10_240, description="Largest JSON body taken, in kilobytes.")
    ] = 256
    per_minute: Annotated[
        int, Meta(ge=1, description="Requests a minute that one token may make, in each process.")
    ] = 600
    burst: Annotated[
        int, Meta(ge=1, description="Requests that one token may make at once, after a pause.")
    ] = 120
    allow_networks: Annotated[
        list[str],
        Meta(
            description="Networks (CIDR) that webhooks may go to besides public addresses; the "
            "gateway, which goes there, needs the same (webhooks.allow_networks)."
        ),
    ] = []
    token_days: Annotated[
        int, Meta(ge=1, le=3660, description="Days after which a token ends at the latest.")
    ] = 366


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the console's process needs to know."""

    ledger: Annotated[LedgerSettings, Meta(description="The book of record.")]
    series: Annotated[SeriesSettings, Meta(description="The time-series store that charts read.")]
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port to listen on; 0: any free one.")
    ] = 8000
    public_base_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/\s]+(/[^\s]*[^/\s])?$",
            description="Address under which people reach this server, without a slash at its end. "
            "QR codes carry it; with https, cookies are Secure.",
        ),
    ] = "http://127.0.0.1:8000"
    trusted_proxies: Annotated[
        list[str],
        Meta(description="Addresses of reverse proxies whose X-Forwarded-For is believed."),
    ] = []
    sessions: Annotated[SessionSettings, Meta(description="Length of sessions.")] = (
        SessionSettings()
    )
    sign_in: Annotated[SignInSettings, Meta(description="Limits on wrong passwords.")] = (
        SignInSettings()
    )
    api: Annotated[ApiSettings, Meta(description="The API for other systems.")] = ApiSettings()
    oidc: Annotated[OidcSettings, Meta(description="Single sign-on; off by default.")] = (
        OidcSettings()
    )
    rates: Annotated[RateSettings, Meta(description="Limits on what one session asks for.")] = (
        RateSettings()
    )
    looks: Annotated[
        LookSettings, Meta(description="How often kitchens' cameras may be looked at.")
    ] = LookSettings()
    live: Annotated[LiveSettings, Meta(description="The live stream.")] = LiveSettings()
    worth: Annotated[WorthSettings, Meta(description="Proposals from verdicts on alerts.")] = (
        WorthSettings()
    )
    uploads: Annotated[UploadSettings, Meta(description="Files that officers add.")] = (
        UploadSettings()
    )
    causes: Annotated[
        str,
        Meta(
            description="TOML file of the causes that a verdict may name, relative to this "
            "settings file; empty: the one that comes with FoodSentry."
        ),
    ] = ""
    rules: Annotated[
        str,
        Meta(
            description="Rule file, or folder of *.toml rule files, relative to this settings "
            "file, whose limits the charts show: the gateway's. Empty: the starter rules."
        ),
    ] = ""
    limits: Annotated[
        str,
        Meta(
            description="CSV file of the limits that rules name, relative to this settings file; "
            "empty: the one that comes with FoodSentry."
        ),
    ] = ""
    calendars: Annotated[
        str,
        Meta(
            description="Folder of the working calendars cn_YYYY.toml, relative to this settings "
            "file, by which cases are due and which the administration shows: the gateway's. "
            "Empty: the ones that come with FoodSentry."
        ),
    ] = ""
    casework: Annotated[
        str,
        Meta(
            description="Casework's data, a folder of *.toml, relative to this settings file; the "
            "gateway's. Empty: the one that comes with FoodSentry."
        ),
    ] = ""
    indicators: Annotated[
        str,
        Meta(
            description="Definitions of indicators, a folder of *.toml, relative to this settings "
            "file; the gateway's. Empty: the one that comes with FoodSentry."
        ),
    ] = ""
    escalation: Annotated[
        str,
        Meta(
            description="Escalation policy, or folder of *.toml policies, relative to this "
            "settings file, which the administration shows: the gateway's. Empty: the one that "
            "comes with FoodSentry."
        ),
    ] = ""
    task_soon_h: Annotated[
        int,
        Meta(
            ge=1,
            le=720,
            description="Hours before its end from which on a quick-test task that is not met is "
            "told to be over soon.",
        ),
    ] = 48
    trace_days: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="Days before and after that a trace of a lot or supplier looks at, unless "
            "its form says otherwise.",
        ),
    ] = 7
    chart_days: Annotated[
        float, Meta(gt=0, le=90, description="Days that the charts of readings show.")
    ] = 1.0

    @property
    def secure(self) -> bool:
        """True if people reach the server by https."""
        return self.public_base_url.startswith("https://")
