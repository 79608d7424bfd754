"""What messages say by themselves, in both languages; the rest comes from rules and people."""

from contracts.words import both

TIME = {"zh": "时间：{}", "en": "Time: {} (UTC+8)"}
LINK = {"zh": "查看：{}", "en": "Open: {}"}

TEST_TITLE = both("邑食无忧：试发通知", "FoodSentry: a test message")
TEST_BODY = both(
    "这是一条测试通知，无需处理。收到即说明该渠道可用。",
    "A test message: nothing to be done. If you read it, this channel works.",
)

UNDELIVERED_TITLE = {"zh": "通知未送达：{name}", "en": "Not delivered: {name}"}
UNDELIVERED_BODY = {
    "zh": "{title}\n收件人 {name}（{region}）的所有联系方式均未能送达，请改用其他方式联系。\n"
    "原因：{reason}",
    "en": "{title}\nNo contact of {name} ({region}) took it; please reach them another way.\n"
    "Why: {reason}",
}
