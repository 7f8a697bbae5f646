// Choosing who stays visible: frames around faces over the film, jumping to moments, covers drawn by hand, and both
// versions side by side. Every form of the page works without this script; with it, a step doesn't load the page anew.
const beside = document.querySelector("[data-beside]");
const video = beside.querySelector("video");
const timeline = document.querySelector("[data-timeline]");
const rate = Number(timeline.dataset.rateNum) / Number(timeline.dataset.rateDen);
const said = document.querySelector("[data-said]");
const overlay = document.createElement("div");
overlay.className = "vault-overlay";
video.parentElement.append(overlay);

let state = null; // what is chosen, as the server says
let drawing = null; // the cover that is being placed
let sending = false;
const waiting = []; // what was pressed while a step was on its way: taken one after the other, in their order

const choices = () => document.querySelector("[data-choices]");
const holder = () => choices() && choices().querySelector("[data-state]");
const frameNow = () => Math.max(0, Math.floor(video.currentTime * rate + 0.01));

function load() {
  state = JSON.parse(holder().dataset.state);
  for (const field of choices().querySelectorAll("[data-here]")) {
    field.addEventListener("focus", () => { if (!field.value) field.value = frameNow(); });
  }
  draw();
}

// Where the picture lies within the player, and how large a pixel of the film is there.
function stage() {
  const width = video.clientWidth;
  const height = video.clientHeight;
  const scale = Math.min(width / state.width, height / state.height);
  return { scale, left: (width - state.width * scale) / 2, top: (height - state.height * scale) / 2 };
}

function put(element, box) {
  const at = stage();
  element.style.left = `${at.left + box[0] * at.scale}px`;
  element.style.top = `${at.top + box[1] * at.scale}px`;
  element.style.width = `${box[2] * at.scale}px`;
  element.style.height = `${box[3] * at.scale}px`;
}

// The box between two places, or null outside of them all. A step of more than `gap` frames is a time without a face.
function boxAt(places, frame, gap) {
  let before = null;
  for (const place of places) {
    if (place[0] === frame) return place.slice(1);
    if (place[0] > frame) {
      if (before === null || place[0] - before[0] > gap) return null;
      const part = (frame - before[0]) / (place[0] - before[0]);
      return before.slice(1).map((side, at) => side + (place[at + 1] - side) * part);
    }
    before = place;
  }
  return null;
}

function draw() {
  if (!state || !holder()) return;
  const frame = frameNow();
  const parts = [];
  for (const person of state.people) {
    const box = boxAt(person.places, frame, 3);
    if (!box) continue;
    const face = document.createElement("button");
    face.type = "button";
    face.className = person.kept ? "vault-face vault-face--kept" : "vault-face";
    face.textContent = String(person.number);
    face.setAttribute("aria-label", `Person ${person.number}, ${person.kept ? "visible" : "blurred"}`);
    face.addEventListener("click", () => goTo(person));
    put(face, box);
    parts.push(face);
  }
  for (const region of state.regions) {
    const box = boxAt(region.places, frame, Infinity);
    if (!box || (drawing && drawing.region === region.number)) continue;
    const cover = document.createElement("div");
    cover.className = "vault-cover";
    cover.textContent = `Cover ${region.number}`;
    put(cover, box);
    parts.push(cover);
  }
  if (drawing) parts.push(drawing.element);
  overlay.replaceChildren(...parts);
  if (drawing) put(drawing.element, drawing.box);
}

// To somebody's card, which may be on another page of the list.
function goTo(person) {
  const card = document.getElementById(`person-${person.number}`);
  if (!card) {
    const there = new URL(holder().dataset.action, location);
    there.searchParams.set("people", person.page);
    show(there.href, () => { if (document.getElementById(`person-${person.number}`)) goTo(person); });
    return;
  }
  card.scrollIntoView({ block: "center" });
  card.querySelector(".vault-person__do button").focus({ preventScroll: true });
}

// Another page of the list, while the film stays where it is.
function show(address, then) {
  const fields = new URLSearchParams({ do: "show", film: holder().dataset.film });
  send(fields, { to: address, then, silent: true });
}

// A step without a new page: the server answers with the part that changed. A document that the browser itself parsed
// needs no trusted types, and no script in it runs.
function send(fields, { to, focus, then, silent } = {}) {
  if (sending) {
    waiting.push([fields, { to, focus, then, silent }]);
    return;
  }
  sending = true;
  const asked = new XMLHttpRequest();
  asked.open("POST", to || holder().dataset.action);
  asked.responseType = "document";
  asked.setRequestHeader("Accept", "text/html");
  asked.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
  asked.addEventListener("loadend", () => {
    sending = false;
    const fresh = asked.response && asked.response.querySelector("[data-choices]");
    if (!fresh) {
      location.reload();
      return;
    }
    const open = [...choices().querySelectorAll("details[open]")].map((one) => one.closest("[data-person]")?.id);
    const ticked = fields.get("do") === "together" ? [] : [...choices().querySelectorAll("input:checked")];
    choices().replaceWith(document.adoptNode(fresh));
    for (const id of open) if (id) document.getElementById(id)?.querySelector("details")?.setAttribute("open", "");
    for (const one of ticked) document.querySelector(`input[form="ticked"][value="${one.value}"]`)?.click();
    load();
    const problem = choices().querySelector("[data-problem]");
    said.textContent = problem ? problem.textContent : silent ? "" : "Saved.";
    if (problem) problem.scrollIntoView({ block: "center" });
    if (focus) focusOn(focus);
    if (then) then();
    if (problem) waiting.length = 0;
    else if (waiting.length) {
      const [later, options] = waiting.shift();
      if (later.has("version")) later.set("version", holder().dataset.version);
      send(later, options);
    }
  });
  fields.set("part", "choices");
  asked.send(fields);
}

// What was pressed may be gone, or can't be pressed any more: who uses keys goes on from the heading, not from the top.
function focusOn(id) {
  let next = document.getElementById(id);
  if (!next || next.disabled) next = document.getElementById({ undo: "redo", redo: "undo" }[id] || "people");
  if (next.tabIndex < 0) next.tabIndex = -1;
  next.focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-step-form]");
  if (!form) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form));
  if (event.submitter && event.submitter.name) fields.append(event.submitter.name, event.submitter.value);
  const card = form.closest("[data-person]");
  const number = fields.get("number");
  const after = { keep: `cover-${number}`, cover: `keep-${number}-1`, begin: "undo" }[fields.get("do")];
  send(fields, { focus: after || (card && card.id) || (event.submitter && event.submitter.id) || "people" });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-person-link]");
  const person = link && state.people.find((one) => one.number === Number(link.dataset.personLink));
  if (!person || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(person);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-show], [data-show-pages] a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link.href, () => {
    const heading = document.getElementById("people");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start" });
  });
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.take !== undefined) document.getElementById(button.dataset.take).value = frameNow();
  else if (button.dataset.draw !== undefined) beginDrawing(Number(button.dataset.draw), button);
});

// Placing a cover: dragged with a pointer, or moved and sized with arrow keys. Nothing is saved before Save.
function beginDrawing(region, button) {
  video.pause();
  endDrawing();
  const known = state.regions.find((one) => one.number === region);
  const box = (known && (boxAt(known.places, frameNow(), Infinity) || known.places.at(-1).slice(1)))
    || [state.width * 0.4, state.height * 0.4, state.width * 0.2, state.height * 0.2];
  const element = document.createElement("div");
  element.className = "vault-cover vault-cover--drawn";
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Cover. Arrow keys move it, with Shift they change its size. Enter saves, Escape ends.");
  const corner = document.createElement("span");
  corner.className = "vault-cover__corner";
  element.append(corner);
  const bar = document.createElement("div");
  bar.className = "vault-drawing";
  const save = pressable("Save this cover", "govuk-button", saveDrawing);
  const cancel = pressable("Don’t save", "govuk-button govuk-button--secondary", leaveDrawing);
  bar.append(save, cancel);
  beside.after(bar);
  drawing = { region, box: box.map(Number), element, bar, button };
  overlay.classList.add("vault-overlay--drawing");
  element.addEventListener("keydown", moveByKey);
  draw();
  beside.scrollIntoView({ block: "nearest" });
  element.focus({ preventScroll: true });
  said.textContent = element.getAttribute("aria-label");
}

function pressable(text, classes, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = classes;
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

function endDrawing() {
  if (!drawing) return;
  drawing.bar.remove();
  drawing = null;
  overlay.classList.remove("vault-overlay--drawing");
  draw();
}

function leaveDrawing() {
  const { button } = drawing;
  endDrawing();
  button.focus();
}

function saveDrawing() {
  const { region, box } = drawing;
  const [x, y, width, height] = box.map((side) => Math.round(side * 10) / 10);
  endDrawing();
  const { version, film } = holder().dataset;
  const place = { do: "place", version, film, region, frame: frameNow(), x, y, width, height };
  send(new URLSearchParams(place), { focus: "draw" });
}

function moveByKey(event) {
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.key === "Enter") saveDrawing();
  else if (event.key === "Escape") leaveDrawing();
  else if (by) {
    const far = Math.max(2, state.width / 100);
    const at = event.shiftKey ? 2 : 0;
    drawing.box[at] += by[0] * far;
    drawing.box[at + 1] += by[1] * far;
    keepInside();
    draw();
    drawing.element.focus({ preventScroll: true });
  } else return;
  event.preventDefault();
}

function keepInside() {
  const box = drawing.box;
  box[2] = Math.min(Math.max(box[2], 8), state.width);
  box[3] = Math.min(Math.max(box[3], 8), state.height);
  box[0] = Math.min(Math.max(box[0], 8 - box[2]), state.width - 8);
  box[1] = Math.min(Math.max(box[1], 8 - box[3]), state.height - 8);
}

overlay.addEventListener("pointerdown", (event) => {
  if (!drawing) return;
  event.preventDefault();
  const from = inFilm(event);
  const box = [...drawing.box];
  const isCorner = event.target.classList.contains("vault-cover__corner");
  const isInside = event.target === drawing.element;
  overlay.setPointerCapture(event.pointerId);
  const move = (moved) => {
    const to = inFilm(moved);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    if (isCorner) drawing.box = [box[0], box[1], box[2] + dx, box[3] + dy];
    else if (isInside) drawing.box = [box[0] + dx, box[1] + dy, box[2], box[3]];
    else drawing.box = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(dx), Math.abs(dy)];
    keepInside();
    put(drawing.element, drawing.box);
  };
  const end = () => {
    overlay.removeEventListener("pointermove", move);
    if (drawing) drawing.element.focus({ preventScroll: true });
  };
  overlay.addEventListener("pointermove", move);
  overlay.addEventListener("pointerup", end, { once: true });
  overlay.addEventListener("pointercancel", end, { once: true });
});

function inFilm(event) {
  const edges = video.getBoundingClientRect();
  const at = stage();
  return [(event.clientX - edges.left - at.left) / at.scale, (event.clientY - edges.top - at.top) / at.scale];
}

// Both versions show the same moment; only one is heard.
const after = document.querySelector("[data-after] video");
if (after) {
  after.muted = true;
  const follow = () => {
    if (Math.abs(after.currentTime - video.currentTime) > 0.5 / rate) after.currentTime = video.currentTime;
  };
  video.addEventListener("seeked", follow);
  video.addEventListener("pause", () => { after.pause(); follow(); });
  video.addEventListener("play", () => { follow(); after.play(); });
  video.addEventListener("ratechange", () => { after.playbackRate = video.playbackRate; });
}

if (video.requestVideoFrameCallback) {
  const each = () => { draw(); video.requestVideoFrameCallback(each); };
  video.requestVideoFrameCallback(each);
}
for (const name of ["seeked", "timeupdate", "loadedmetadata"]) video.addEventListener(name, draw);
new ResizeObserver(draw).observe(video);
load();
