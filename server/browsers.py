"""What a browser is called where its owner looks for it: "Chrome, Android"."""

_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("wxwork", "WeCom"), ("DingTalk", "DingTalk"), ("Lark", "Lark"),
    ("Edg", "Edge"), ("OPR/", "Opera"), ("HuaweiBrowser", "Huawei"), ("MiuiBrowser", "Xiaomi"),
    ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def browser_of(user_agent: str) -> str:
    """Browser and system of a User-Agent header; what is not known is shown as it is, cut short."""
    found = [
        next((name for mark, name in known if mark in user_agent), "")
        for known in (_BROWSERS, _SYSTEMS)
    ]
    told = ", ".join(one for one in found if one)
    return told or "".join(filter(str.isprintable, user_agent))[:60]
