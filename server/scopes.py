"""What a token of another city system may be allowed, as data: each route below /api names one."""

READS: dict[str, str] = {
    "alerts:read": "Alerts, their timelines, verdicts, who was told",
    "cases:read": "Cases, their steps, deadlines and files",
    "establishments:read": "Establishments and their facts",
    "results:read": "Quick-test results with the instruments' bytes",
    "tasks:read": "Quick-test tasks with their progress",
    "kitchens:read": "Kitchens' cameras, who cannot be seen, and who looked",
    "devices:read": "Devices, their health, and what is missing",
    "notifications:read": "Who was told of what, by which channel",
    "silences:read": "Silences and maintenance windows",
    "worth:read": "Scorecards, times and proposals",
    "indicators:read": "Indicators, their records, and what was frozen of them",
    "admin:read": "Places, people and rules, as the administration shows them",
    "webhooks:read": "Webhooks and their deliveries",
}
"""Scopes that change nothing, with what they open."""

WRITES: dict[str, str] = {
    "alerts:move": "Acknowledge, dispose, review, pause, close and judge alerts",
    "cases:move": "Take cases on, move them along, add files",
    "establishments:write": "Take yellow and red cards back",
    "kitchens:look": "Ask kitchens' cameras for looks",
    "tasks:write": "Give and withdraw quick-test tasks",
    "silences:write": "Begin and end silences",
    "worth:decide": "Accept and decline proposals",
    "admin:write": "Change what the administration changes",
    "webhooks:write": "Make, test, pause and remove webhooks",
}
"""Scopes that change something. Each also asks for the right of the officer who made the token."""

SCOPES: dict[str, str] = READS | WRITES

ANY = "self:read"
"""Who am I: every token may ask."""
SESSION = "session"
"""For people at a browser: no token may."""
NAMED = frozenset(SCOPES) | {ANY, SESSION}
"""What a route may name."""


def allows(held: tuple[str, ...], asked: str) -> bool:
    """Whether a token with these scopes may use a route that asks for `asked`."""
    return asked == ANY or asked in held
