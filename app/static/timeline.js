// Moving by frames: steps, slow speeds and a strip to look for the moment. On the cutting page it fills two number
// fields in as well, which are ordinary form fields and work without this script.
const box = document.querySelector("[data-timeline]");
if (box) timeline(box, document.getElementById("first_frame") ? cutting(box) : null);

function clamp(number, low, high) {
  return Math.min(Math.max(number, low), high);
}

function clockOf(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
}

// The two fields, and what is said about them.
function cutting(box) {
  const rate = Number(box.dataset.rateNum) / Number(box.dataset.rateDen);
  const frames = Number(box.dataset.frames);
  const first = document.getElementById("first_frame");
  const last = document.getElementById("last_frame");
  const length = document.querySelector("[data-length]");
  const chosen = box.querySelector("[data-chosen]");
  const cut = {
    start: () => clamp(Math.floor(Number(first.value) || 0), 0, frames - 1),
    end: () => clamp(Math.floor(Number(last.value) || 0), 0, frames),
    setStart(frame) {
      first.value = frame;
      if (cut.end() <= frame) last.value = frames;
      cut.show();
    },
    setEnd(frame) {
      last.value = frame + 1;
      cut.show();
    },
    show() {
      const from = cut.start();
      const to = cut.end();
      chosen.hidden = to <= from;
      chosen.style.left = `${(from / frames) * 100}%`;
      chosen.style.width = `${(Math.max(to - from, 0) / frames) * 100}%`;
      if (!first.value && !last.value) length.textContent = "Find the moment above, then press Start here and End here.";
      else if (to <= from) length.textContent = "The end must come after the start.";
      else length.textContent =
        `Your clip is ${((to - from) / rate).toFixed(1)} seconds long: from ${clockOf(from / rate)} to ${clockOf(to / rate)}.`;
    },
  };
  for (const field of [first, last]) field.addEventListener("input", cut.show);
  cut.show();
  return cut;
}

function timeline(box, cut) {
  const video = document.querySelector("[data-player] video");
  const rate = Number(box.dataset.rateNum) / Number(box.dataset.rateDen);
  const frames = Number(box.dataset.frames);
  const find = (name) => box.querySelector(`[data-${name}]`);
  const position = find("position");
  const says = find("says");
  const head = find("head");
  const play = find("play");
  let frame = 0;
  let until = null;

  function show() {
    position.value = frame;
    position.setAttribute("aria-valuetext", `${clockOf(frame / rate)}, frame ${frame} of ${frames}`);
    says.textContent = `${clockOf(frame / rate)} · frame ${frame} of ${frames}`;
    head.style.left = `${(frame / frames) * 100}%`;
  }

  // To the middle of the frame, so that rounding can't show its neighbour.
  function go(to) {
    frame = clamp(Math.round(to), 0, frames - 1);
    video.currentTime = (frame + 0.5) / rate;
    show();
  }

  function stepTo(to) {
    video.pause();
    until = null;
    go(to);
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

  const acts = { ",": () => stepTo(frame - 1), ".": () => stepTo(frame + 1) };
  if (cut) {
    acts["["] = () => cut.setStart(frame);
    acts["]"] = () => cut.setEnd(frame);
    find("set-start").addEventListener("click", acts["["]);
    find("set-end").addEventListener("click", acts["]"]);
    find("preview").addEventListener("click", () => {
      if (cut.end() <= cut.start()) return;
      go(cut.start());
      until = cut.end();
      video.play();
    });
  }
  for (const button of box.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => stepTo(frame + Number(button.dataset.step)));
  }
  play.addEventListener("click", () => {
    until = null;
    if (video.paused) video.play();
    else video.pause();
  });
  find("speed").addEventListener("change", (event) => { video.playbackRate = Number(event.target.value); });
  position.addEventListener("input", () => stepTo(Number(position.value)));
  find("strip").addEventListener("click", (event) => {
    const edges = event.currentTarget.getBoundingClientRect();
    stepTo(((event.clientX - edges.left) / edges.width) * frames);
  });
  video.addEventListener("play", () => { play.textContent = "Pause"; });
  video.addEventListener("pause", () => { play.textContent = "Play"; });
  box.addEventListener("keydown", (event) => {
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    event.preventDefault();
    act();
  });
  box.hidden = false;
  show();
}
