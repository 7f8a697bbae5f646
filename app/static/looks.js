// A list of moments to look at: each is a press away, and so is the next one.
const position = document.querySelector("[data-position]");

function jump(frame) {
  position.value = frame;
  position.dispatchEvent(new Event("input"));
  document.querySelector("[data-player]").scrollIntoView({ block: "nearest" });
}

function next() {
  const looks = [...document.querySelectorAll(".vault-looks [data-jump]")].map((one) => Number(one.dataset.jump));
  const later = looks.find((frame) => frame > Number(position.value));
  jump(later === undefined ? looks[0] : later);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.jump !== undefined) jump(Number(button.dataset.jump));
  else if (button.hasAttribute("data-next-look")) next();
});
