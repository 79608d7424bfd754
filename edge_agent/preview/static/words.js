// The page's own words, in both languages. What a camera says brings its own.
export const WORDS = {
  zh: {
    title: "摄像头预览", other: "English", signout: "退出", areas: "区域与遮蔽", heads: "头部与判断",
    faces: "显示面部", edit: "调整区域", cancel: "取消", save: "保存", state: "状态",
    observations: "进行中的观察", why: "为何算、为何不算", measures: "画面测量值", looked: "被查看记录",
    sight: "画面", gate: "运动门", frames: "帧率", looks: "分析率", age: "上次分析", trouble: "故障",
    open: "分析中", resting: "静止，等待", none: "无", nobody: "画面中没有人头",
    hidden: "头部已遮盖", shown: "面部可见：仅供安装调试，不会保存", lost: "与代理程序失去联系",
    many: "观看者过多，请稍后再试", waiting: "等待画面……", per: "/秒", ago: "秒前",
    saved: "已保存，重启代理程序后生效；旧文件备份为 ", help: "拖动圆点；拖动半透明圆点可加点；双击圆点可删除",
    people: "人", head: "头", confidence: "把握", blind: "摄像头看不见时不显示画面细节",
    seen: "查看", kept: "保存画面",
  },
  en: {
    title: "Camera preview", other: "中文", signout: "Sign out", areas: "Zones and masks",
    heads: "Heads and answers", faces: "Show faces", edit: "Adjust zones", cancel: "Cancel",
    save: "Save", state: "State", observations: "Open observations", why: "Why, and why not",
    measures: "Measures of the picture", looked: "Who looked, and why", sight: "Sight", gate: "Motion gate", frames: "Frames",
    looks: "Looks", age: "Last look", trouble: "Trouble", open: "looking",
    resting: "resting, nothing moves", none: "none", nobody: "No head in the picture",
    hidden: "Heads are hidden", shown: "Faces are shown for setting up; nothing is stored",
    lost: "The agent does not answer", many: "Too many viewers, try again later",
    waiting: "Waiting for a picture …", per: "/s", ago: "s ago",
    saved: "Saved; holds after a restart of the agent. The old file is kept as ",
    help: "Drag the dots; drag a faint dot to add one; double-click a dot to remove it",
    people: "people", head: "head", confidence: "confidence",
    blind: "While the camera cannot see, no detail is shown",
    seen: "looked", kept: "kept a picture",
  },
};

// "中文 / English" as the camera says it: the half that is asked for.
export function half(said, language) {
  const parts = said.split(" / ");
  return parts.length === 2 ? parts[language === "zh" ? 0 : 1] : said;
}
