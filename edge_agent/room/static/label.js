// The label prints by the browser's own menu; where scripts run there is a button for it.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
button.focus();
