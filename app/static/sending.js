// One film on its way, with its line on the page: from wherever the last try got to, until it is here or given up.
import { fingerprintOf } from "./fingerprint.js";
import { CheckedStack } from "./pieces.js";
import { megabytes, moment, timeLeft } from "./words.js";

const LEAST_PIECE = 256 * 1024;
const FIRST_PIECE = 1024 * 1024;
const MOST_PIECE = 8 * 1024 * 1024;
const PIECE_SECONDS = 8;
const AGAIN_MS = [500, 1000, 3000, 5000, 10000, 20000, 30000, 60000];
const STEP = 10;
const WAITING = "Waiting for the internet. It goes on by itself when it is back.";
const PASSING = new Set([409, 423, 429, 460]);

export class Film {
  constructor(file, owner, list) {
    this.file = file;
    this.owner = owner;
    this.isOver = this.isHere = this.isGivenUp = false;
    this.address = this.expires = this.timer = this.from = this.upload = this.fingerprint = null;
    this.tries = 0;
    this.told = -1;
    this.turn = 0;
    this.line = document.querySelector("template[data-upload-line]").content.firstElementChild.cloneNode(true);
    this.bar = this.line.querySelector("progress");
    this.bar.setAttribute("aria-label", file.name);
    this.line.querySelector("[data-name]").textContent = file.name;
    this.cancel = this.line.querySelector("[data-cancel]");
    this.cancel.setAttribute("aria-label", `Give it up: ${file.name}`);
    this.cancel.addEventListener("click", () => this.giveUp());
    list.append(this.line);
    this.say(`${megabytes(file.size)}. Comes next.`);
    if (file.size > owner.mostBytes) {
      this.fail(`This film is larger than ${megabytes(owner.mostBytes)}, the most that the service takes.`);
    } else if (!file.size) {
      this.fail("This film is empty. Choose the film that you made at the visit.");
    }
  }

  say(text) { this.line.querySelector("[data-says]").textContent = text; }

  state(text) { this.say(text); this.owner.announce(`${this.file.name}: ${text}`); }

  // Begin, or go on. May be called at any time: what was under way before is let go.
  async work() {
    this.stop();
    const turn = this.turn;
    this.from = null;
    if (!navigator.onLine) {
      this.waitForInternet();
      return;
    }
    if (!this.upload) {
      this.state("Looking at the film…");
      let fingerprint;
      try {
        fingerprint = await fingerprintOf(this.file);
      } catch {
        this.fail("This film can’t be read. Is it still on this device?");
        this.owner.over();
        return;
      }
      if (turn !== this.turn) return;
      this.make(fingerprint);
    }
    // Without an endpoint an upload that is known is gone on with or fails: it is never silently begun anew.
    this.upload.url = this.address;
    this.upload.options.endpoint = this.address ? null : this.owner.endpoint;
    if (!this.bar.value) this.state("Starting…");
    this.upload.start();
  }

  make(fingerprint) {
    const found = this.owner.known.get(fingerprint);
    this.fingerprint = fingerprint;
    if (found) {
      this.address = new URL(found.address, location.href).href;
      this.unfinished = found.shown;
    }
    this.upload = new window.tus.Upload(this.file, {
      endpoint: this.owner.endpoint,
      chunkSize: FIRST_PIECE,
      retryDelays: null,
      storeFingerprintForResuming: false,
      httpStack: new CheckedStack(),
      metadata: { filename: this.file.name, filetype: this.file.type, fingerprint },
      onUploadUrlAvailable: () => {
        this.address = this.upload.url;
        this.owner.known.set(fingerprint, { address: this.address });
        this.takeFromList();
      },
      onAfterResponse: (_, response) => {
        const expires = response.getHeader("Upload-Expires");
        if (expires) this.expires = new Date(expires);
      },
      onProgress: (sent, whole) => this.progress(sent, whole),
      onChunkComplete: (size) => this.piece(size),
      onError: (error) => this.wrong(error),
      onSuccess: () => this.here(),
    });
  }

  progress(sent, whole) {
    const at = performance.now();
    this.from ??= { at, sent };
    const percent = Math.floor((sent / whole) * 100);
    this.bar.value = percent;
    const seconds = (at - this.from.at) / 1000;
    const left = sent > this.from.sent && seconds > 3 ? timeLeft(((whole - sent) * seconds) / (sent - this.from.sent)) : "";
    this.say(`${megabytes(sent)} of ${megabytes(whole)} sent.${left ? ` ${left}.` : ""}`);
    if (Math.floor(percent / STEP) !== this.told) {
      this.told = Math.floor(percent / STEP);
      this.owner.announce(`${this.file.name}: ${percent} % sent.${left ? ` ${left}.` : ""}`);
    }
  }

  // A piece counts only when all of it has come, so a slow line gets small ones: little is lost when it breaks.
  piece(size) {
    const now = performance.now();
    const seconds = Math.max((now - (this.pieceAt ?? now)) / 1000, 0.05);
    if (this.pieceAt) {
      const wanted = Math.min((size / seconds) * PIECE_SECONDS, 2 * this.upload.options.chunkSize, MOST_PIECE);
      this.upload.options.chunkSize = Math.max(LEAST_PIECE, Math.floor(wanted / LEAST_PIECE) * LEAST_PIECE);
    }
    this.pieceAt = now;
    this.tries = 0;
  }

  wrong(error) {
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
    this.pieceAt = null;
    if (error.causingError?.isUnreadable) this.failed("This film can’t be read any more. Is it still on this device?");
    else if (status === 401) {
      this.owner.signedOut();
      this.state("Waiting for you to sign in.");
    } else if (!navigator.onLine) this.waitForInternet();
    else if (!status || status >= 500 || PASSING.has(status)) {
      this.upload.options.chunkSize = Math.max(LEAST_PIECE, this.upload.options.chunkSize / 2);
      if (status < 500 && status) this.state("Going on where it stopped…");
      else this.state(status === 507 ? sentenceOf(error) : WAITING);
      this.timer = setTimeout(() => this.work(), AGAIN_MS[Math.min(this.tries++, AGAIN_MS.length - 1)]);
    } else if (this.address && (status === 404 || status === 410)) {
      this.forget();
      this.failed("What had arrived of this film was erased. Choose it again to send it from its beginning.");
    } else {
      this.forget();
      this.failed(sentenceOf(error));
    }
  }

  waitForInternet() {
    this.stop();
    this.state(this.expires ? `${WAITING} What has arrived is kept until ${moment(this.expires)}.` : WAITING);
  }

  pause() {
    this.stop();
    if (this.isOver) return;
    this.state(this.expires ? `Paused. What has arrived is kept until ${moment(this.expires)}.` : "Paused.");
  }

  stop() {
    this.turn += 1;
    clearTimeout(this.timer);
    this.pieceAt = null;
    this.upload?.abort();
  }

  // What is being sent, or is over, is no longer listed as waiting.
  takeFromList() {
    this.unfinished?.remove();
    if (!document.querySelector("[data-unfinished]")) document.querySelector("[data-unfinished-all]")?.remove();
  }

  // The next time that this film is chosen it begins anew.
  forget() {
    this.takeFromList();
    this.address = null;
    this.owner.known.delete(this.fingerprint);
  }

  here() {
    this.end();
    this.forget();
    this.isHere = true;
    this.bar.value = 100;
    this.state("All of it is here. We are getting it ready.");
    this.owner.over();
  }

  async giveUp() {
    const address = this.address;
    this.stop();
    this.forget();
    this.end();
    this.isGivenUp = true;
    this.bar.value = 0;
    try {
      if (address) await window.tus.Upload.terminate(address, { httpStack: new CheckedStack() });
      this.state("Given up. Nothing of this film was kept.");
    } catch {
      this.state(`Given up. What had arrived is erased by itself${this.expires ? ` on ${moment(this.expires)}` : " later"}.`);
    }
    this.owner.over();
  }

  failed(text) {
    this.fail(text);
    this.owner.over();
  }

  fail(text) {
    this.stop();
    this.end();
    this.bar.hidden = true;
    this.say("Not sent. The film is still on your phone.");
    const trouble = this.line.querySelector("[data-trouble]");
    trouble.textContent = text;
    trouble.hidden = false;
    this.owner.announce(`${this.file.name}: ${text}`);
  }

  end() {
    this.isOver = true;
    this.cancel.hidden = true;
  }
}

function sentenceOf(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).sentence;
  } catch {
    return "The film didn’t get through. Choose it again to go on where it stopped.";
  }
}
