// Sends films one after the other over poor broadband (tus 1.0): each piece with its checksum, from wherever the last try
// got to. Nothing is remembered on this device: the server knows by a fingerprint which unfinished upload a film is.
import { Film } from "./sending.js";

const form = document.querySelector("[data-upload]");
if (form && window.tus && window.tus.isSupported && window.crypto.subtle) begin(form);

function begin(form) {
  const field = form.querySelector("input[type=file]");
  const group = form.querySelector("[data-upload-group]");
  const problem = form.querySelector("[data-upload-problem]");
  const panel = document.querySelector("[data-upload-panel]");
  const title = panel.querySelector("#sending");
  const list = panel.querySelector("[data-upload-lines]");
  const pause = panel.querySelector("[data-upload-pause]");
  const keep = panel.querySelector("[data-upload-keep]");
  const leave = panel.querySelector("[data-upload-leave]");
  const signedOut = panel.querySelector("[data-upload-signed-out]");
  const said = panel.querySelector("[data-upload-said]");
  const known = new Map();
  for (const each of document.querySelectorAll("[data-unfinished]")) {
    if (each.dataset.fingerprint) known.set(each.dataset.fingerprint, { address: each.dataset.unfinished, shown: each });
  }
  const films = [];
  let current = null;
  let rests = false;
  let lock = null;

  const leaving = (event) => event.preventDefault();
  const announce = (text) => { said.textContent = text; };

  async function stayAwake() {
    if (current && !rests && !lock && navigator.wakeLock && document.visibilityState === "visible") {
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      lock?.addEventListener("release", () => { lock = null; });
    }
  }

  function complain(text) {
    problem.hidden = !text;
    problem.querySelector("[data-upload-problem-text]").textContent = text;
    group.classList.toggle("govuk-form-group--error", Boolean(text));
  }

  function show() {
    const isBusy = films.some((film) => !film.isOver);
    keep.hidden = !isBusy || rests;
    pause.hidden = !isBusy;
    pause.textContent = rests ? "Go on" : "Pause";
    form.hidden = isBusy;
    title.textContent = isBusy ? "Sending" : "What came of it";
    document.body.toggleAttribute("data-busy", isBusy);
    leave.hidden = isBusy;
    if (isBusy && !rests) window.addEventListener("beforeunload", leaving);
    else window.removeEventListener("beforeunload", leaving);
    if (!isBusy || rests) lock?.release();
  }

  function next() {
    current = films.find((film) => !film.isOver) ?? null;
    show();
    if (current) {
      stayAwake();
      current.work();
    } else if (films.every((film) => film.isHere || film.isGivenUp) && films.some((film) => film.isHere)) {
      location.assign(`${form.dataset.here}?saved=film`);
    }
  }

  function rest() {
    rests = true;
    current?.pause();
    show();
  }

  const owner = {
    known,
    endpoint: form.dataset.upload,
    mostBytes: Number(form.dataset.mostBytes),
    announce,
    over() { if (!rests) next(); else show(); },
    signedOut() { signedOut.hidden = false; announce("You have been signed out."); rest(); pause.focus(); },
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    complain("");
    if (!field.files.length) {
      complain("Choose a film.");
      field.focus();
      return;
    }
    for (const one of films.filter((film) => film.isOver)) one.line.remove();
    films.splice(0, films.length, ...Array.from(field.files, (file) => new Film(file, owner, list)));
    field.value = "";
    panel.hidden = false;
    panel.focus();
    rests = false;
    next();
  });
  pause.addEventListener("click", () => {
    if (!rests) {
      rest();
      return;
    }
    rests = false;
    signedOut.hidden = true;
    next();
  });
  window.addEventListener("online", () => { if (!rests) current?.work(); });
  window.addEventListener("offline", () => { if (!rests) current?.waitForInternet(); });
  document.addEventListener("visibilitychange", stayAwake);
  field.multiple = true;
}
