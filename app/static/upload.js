// Sends a film in pieces over poor broadband (tus 1.0): each piece with its checksum, from wherever the last try got to.
// What is remembered on this device is an address and a hash, never a file's name.
import { megabytes, timeLeft } from "./words.js";

const PIECE_BYTES = 8 * 1024 * 1024;
const RETRY_MS = [0, 1000, 3000, 5000, 10000, 20000, 30000, 60000, 60000, 60000];
const PREFIX = "vault-upload-";

const form = document.querySelector("[data-upload]");
if (form && window.tus && window.tus.isSupported && window.crypto.subtle) begin(form);

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

// tus-js-client sends no checksums of its own: its requests are made here, so that each PATCH carries one.
class CheckedStack {
  inner = new window.tus.DefaultHttpStack();

  createRequest(method, address) {
    const request = this.inner.createRequest(method, address);
    if (method !== "PATCH") return request;
    const send = request.send.bind(request);
    const abort = request.abort.bind(request);
    let given = false;
    request.abort = () => { given = true; return abort(); };
    request.send = async (piece) => {
      const digest = await sha256(await new Response(piece).arrayBuffer());
      if (given) return new Promise(() => {});
      request.setHeader("Upload-Checksum", `sha256 ${btoa(String.fromCharCode(...digest))}`);
      return send(piece);
    };
    return request;
  }

  getName() {
    return "CheckedStack";
  }
}

const memory = {
  async findAllUploads() { return []; },
  async findUploadsByFingerprint(fingerprint) {
    const kept = localStorage.getItem(PREFIX + fingerprint);
    return kept ? [{ uploadUrl: kept, size: null, metadata: {}, urlStorageKey: PREFIX + fingerprint }] : [];
  },
  async removeUpload(key) { localStorage.removeItem(key); },
  async addUpload(fingerprint, upload) {
    localStorage.setItem(PREFIX + fingerprint, upload.uploadUrl);
    return PREFIX + fingerprint;
  },
};

async function fingerprint(film, options) {
  const facts = [film.name, film.type, film.size, film.lastModified, options.endpoint].join("\n");
  return Array.from(await sha256(new TextEncoder().encode(facts)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function begin(form) {
  const field = form.querySelector("input[type=file]");
  const panel = document.querySelector("[data-upload-panel]");
  const bar = panel.querySelector("progress");
  const says = panel.querySelector("[data-upload-says]");
  const trouble = panel.querySelector("[data-upload-trouble]");
  const cancel = panel.querySelector("[data-upload-cancel]");
  let upload = null;
  let going = false;
  let lock = null;
  let from = null;

  const tell = (text) => { if (says.textContent !== text) says.textContent = text; };
  const complain = (text) => { trouble.textContent = text; trouble.hidden = !text; };
  const leaving = (event) => event.preventDefault();

  async function stayAwake() {
    if (going && !lock && navigator.wakeLock && document.visibilityState === "visible") {
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      lock?.addEventListener("release", () => { lock = null; });
    }
  }

  function rest() {
    going = false;
    window.removeEventListener("beforeunload", leaving);
    lock?.release();
  }

  function work() {
    going = true;
    from = null;
    complain("");
    window.addEventListener("beforeunload", leaving);
    stayAwake();
    if (navigator.onLine) upload.start();
    else tell("Waiting for the internet. We go on by ourselves when it is back.");
  }

  function sentenceOf(error) {
    try {
      return JSON.parse(error.originalResponse.getBody()).sentence;
    } catch {
      return "The film didn't get through. Press Send film to go on where it stopped.";
    }
  }

  function start(film) {
    if (film.size > Number(form.dataset.mostBytes)) {
      complain(`This film is ${megabytes(film.size)}. The service takes at most ${megabytes(Number(form.dataset.mostBytes))}.`);
      return;
    }
    upload = new window.tus.Upload(film, {
      endpoint: form.dataset.upload,
      chunkSize: PIECE_BYTES,
      retryDelays: RETRY_MS,
      removeFingerprintOnSuccess: true,
      httpStack: new CheckedStack(),
      urlStorage: memory,
      fingerprint,
      metadata: { filename: film.name, filetype: film.type },
      onProgress(sent, whole) {
        from ??= { at: performance.now(), sent };
        bar.value = Math.floor((sent / whole) * 100);
        const seconds = (performance.now() - from.at) / 1000;
        const left = sent > from.sent && seconds > 3 ? timeLeft(((whole - sent) * seconds) / (sent - from.sent)) : "";
        tell(`${megabytes(sent)} of ${megabytes(whole)} sent.${left ? ` ${left}.` : ""} Keep this page open.`);
      },
      onShouldRetry(error) {
        if (!navigator.onLine) return false;
        const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
        if (!status || status >= 500) tell("Waiting for the internet. We go on by ourselves when it is back.");
        return !status || status >= 500 || [409, 423, 429, 460].includes(status);
      },
      onError(error) {
        if (!navigator.onLine) {
          tell("Waiting for the internet. We go on by ourselves when it is back.");
          return;
        }
        rest();
        tell("Stopped.");
        complain(sentenceOf(error));
        form.hidden = false;
      },
      onSuccess() {
        rest();
        bar.value = 100;
        tell("All of it is here. We get the film ready now.");
        location.assign(form.dataset.done);
      },
    });
    form.hidden = true;
    panel.hidden = false;
    panel.focus();
    tell("Starting…");
    upload.findPreviousUploads().then((found) => {
      if (found.length) upload.resumeFromPreviousUpload(found[0]);
      work();
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    panel.hidden = false;
    if (field.files.length) start(field.files[0]);
    else complain("Choose a film.");
  });
  cancel.addEventListener("click", async () => {
    rest();
    await upload?.abort(true).catch(() => {});
    bar.value = 0;
    tell("Stopped. Nothing of this film was kept.");
    complain("");
    form.hidden = false;
  });
  window.addEventListener("online", () => { if (going) upload.abort().then(work); });
  window.addEventListener("offline", () => {
    if (going) tell("Waiting for the internet. We go on by ourselves when it is back.");
  });
  document.addEventListener("visibilitychange", stayAwake);
}
