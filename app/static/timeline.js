// Cutting by frames: steps, slow speeds, a strip to look for the moment, and two number fields that it fills in.
// The fields are ordinary form fields and work without this script.
const box = document.querySelector("[data-timeline]");
if (box) timeline(box);

function timeline(box) {
  const video = document.querySelector("[data-player] video");
  const rate = Number(box.dataset.rateNum) / Number(box.dataset.rateDen);
  const frames = Number(box.dataset.frames);
  const first = document.getElementById("first_frame");
  const last = document.getElementById("last_frame");
  const find = (name) => box.querySelector(`[data-${name}]`);
  const position = find("position");
  const says = find("says");
  const length = document.querySelector("[data-length]");
  const chosen = find("chosen");
  const head = find("head");
  let frame = 0;
  let until = null;

  const clamp = (number, low, high) => Math.min(Math.max(number, low), high);
  const start = () => clamp(Math.floor(Number(first.value) || 0), 0, frames - 1);
  const end = () => clamp(Math.floor(Number(last.value) || 0), 0, frames);

  // In the middle of the frame, so that rounding can't show its neighbour.
  function go(to) {
    frame = clamp(Math.round(to), 0, frames - 1);
    video.currentTime = (frame + 0.5) / rate;
    show();
  }

  function step(by) {
    video.pause();
    until = null;
    go(frame + by);
  }

  function clockOf(count) {
    const seconds = count / rate;
    return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
  }

  function show() {
    position.value = frame;
    position.setAttribute("aria-valuetext", `${clockOf(frame)}, frame ${frame} of ${frames}`);
    says.textContent = `${clockOf(frame)} · frame ${frame} of ${frames}`;
    head.style.left = `${(frame / frames) * 100}%`;
    const from = start();
    const to = end();
    chosen.hidden = to <= from;
    chosen.style.left = `${(from / frames) * 100}%`;
    chosen.style.width = `${(Math.max(to - from, 0) / frames) * 100}%`;
    length.textContent = to > from
      ? `Your clip is ${((to - from) / rate).toFixed(1)} seconds long: from ${clockOf(from)} to ${clockOf(to)}.`
      : "The end must come after the start.";
  }

  function shown(mediaTime) {
    if (video.seeking) return;
    frame = clamp(Math.floor(mediaTime * rate + 0.01), 0, frames - 1);
    if (until !== null && frame >= until - 1) {
      video.pause();
      until = null;
    }
    show();
  }

  if (video.requestVideoFrameCallback) {
    const each = (_, facts) => {
      shown(facts.mediaTime);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  } else {
    video.addEventListener("timeupdate", () => shown(video.currentTime));
  }

  function toggle() {
    until = null;
    if (video.paused) video.play();
    else video.pause();
  }

  function preview() {
    if (end() <= start()) return;
    go(start());
    until = end();
    video.play();
  }

  function setStart() {
    first.value = frame;
    if (end() <= frame) last.value = frames;
    show();
  }

  function setEnd() {
    last.value = frame + 1;
    show();
  }

  for (const button of box.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => step(Number(button.dataset.step)));
  }
  find("play").addEventListener("click", toggle);
  find("preview").addEventListener("click", preview);
  find("set-start").addEventListener("click", setStart);
  find("set-end").addEventListener("click", setEnd);
  find("speed").addEventListener("change", (event) => { video.playbackRate = Number(event.target.value); });
  position.addEventListener("input", () => step(Number(position.value) - frame));
  find("strip").addEventListener("click", (event) => {
    const edges = event.currentTarget.getBoundingClientRect();
    step(((event.clientX - edges.left) / edges.width) * frames - frame);
  });
  for (const field of [first, last]) field.addEventListener("input", show);
  video.addEventListener("play", () => { find("play").textContent = "Pause"; });
  video.addEventListener("pause", () => { find("play").textContent = "Play"; });
  box.addEventListener("keydown", (event) => {
    if (event.target.matches("input:not([type=range]), select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { ",": () => step(-1), ".": () => step(1), "[": setStart, "]": setEnd }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  box.hidden = false;
  show();
}
