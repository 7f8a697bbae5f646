// A list of moments to look at: each is a press away, and so is the next one.
const position = document.querySelector("[data-position]");

function jump(frame) {
  position.value = frame;
  position.dispatchEvent(new Event("input"));
  document.querySelector("[data-player]").scrollIntoView({ block: "nearest" });
}

// The next moment, or the one before; after the last comes the first again.
function step(by) {
  const moments = [...document.querySelectorAll("[data-looks] li")];
  if (!moments.length) return;
  const at = (moment) => Number(moment.querySelector("[data-jump]").dataset.jump);
  const now = Number(position.value);
  const found = by > 0 ? moments.find((one) => at(one) > now) : moments.findLast((one) => at(one) < now);
  const moment = found || moments.at(by > 0 ? 0 : -1);
  jump(at(moment));
  tell(moments, moment);
}

function tell(moments, moment) {
  const says = document.querySelector("[data-look-says]");
  const words = moment.querySelector("[data-look-text]").textContent;
  if (says) says.textContent = `Moment ${moments.indexOf(moment) + 1} of ${moments.length}: ${words}.`;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.look !== undefined) step(Number(button.dataset.look));
  else if (button.dataset.jump !== undefined) {
    jump(Number(button.dataset.jump));
    const moment = button.closest("[data-looks] li");
    if (moment) tell([...moment.parentElement.children], moment);
  }
});
