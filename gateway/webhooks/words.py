"""What the maker of a webhook is told when it is paused because nothing arrives."""

PAUSED_TITLE = {"zh": "回调已停：{name}", "en": "Webhook paused: {name}"}
PAUSED_BODY = {
    "zh": "发往 {host} 的消息连续 {days:g} 天未送达，已自动停发；其后的事件会留存，恢复后补发。\n"
    "最后一次：{why}",
    "en": "Messages to {host} have not arrived for {days:g} days, and it is paused; later events "
    "wait and are told once it goes on.\nThe last try: {why}",
}
