// The guarded player. The film is asked for only once the server's events have begun, and is taken away
// at once when they say so, or by itself when they fall silent: no news counts as bad news.
const SILENCE_MS = 2000;
const FIRST_BEAT_MS = 6000;
const CHECK_MS = 200;
const MARK_MOVES_MS = 15000;
const LONDON = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/London", day: "numeric", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});

function guard(player) {
  const video = player.querySelector("video");
  const stage = player.querySelector("[data-stage]");
  const events = new EventSource(player.dataset.events);
  let heard = performance.now();
  let begun = false;
  let ended = false;

  function dark() {
    if (ended) return;
    ended = true;
    clearInterval(watching);
    events.close();
    video.pause();
    video.removeAttribute("src");
    video.removeAttribute("poster");
    video.load();
    for (const part of player.querySelectorAll("[data-goes-dark]")) part.remove();
    for (const part of document.querySelectorAll("[data-goes-with-film]")) {
      if (part.tagName === "H1") unname(part);
      else part.remove();
    }
    const panel = player.querySelector("[data-dark]");
    panel.hidden = false;
    panel.querySelector("p").textContent = "This clip is not available.";
    panel.focus();
    player.dispatchEvent(new CustomEvent("vault:dark", { bubbles: true }));
  }

  function beat() {
    heard = performance.now();
    if (begun || ended) return;
    begun = true;
    if (!video.hasAttribute("src")) video.src = player.dataset.film;
    player.dispatchEvent(new CustomEvent("vault:begun", { bubbles: true }));
  }

  events.addEventListener("beat", beat);
  events.addEventListener("dark", dark);
  events.addEventListener("error", () => { if (events.readyState === EventSource.CLOSED) dark(); });
  video.addEventListener("error", () => { if (begun) dark(); });
  window.addEventListener("pagehide", () => events.close());
  const watching = setInterval(() => {
    if (performance.now() - heard > (begun ? SILENCE_MS : FIRST_BEAT_MS)) dark();
  }, CHECK_MS);

  const mark = player.querySelector("[data-mark]");
  if (mark) showMark(mark, player.dataset.name);
  const fill = player.querySelector("[data-fill]");
  if (fill && stage.requestFullscreen) {
    fill.hidden = false;
    fill.addEventListener("click", () => stage.requestFullscreen());
  }
}

// A page needs a heading even when there is nothing left to name.
function unname(heading) {
  heading.textContent = "Not available";
  heading.className = "govuk-visually-hidden";
}

// Who is watching, and the time as it passes: over the picture, so that a filmed screen says whose it was.
function showMark(mark, name) {
  const tell = () => { mark.textContent = `${name} · ${LONDON.format(new Date())}`; };
  tell();
  setInterval(tell, 1000);
  let corner = 0;
  setInterval(() => { corner = (corner + 1) % 4; mark.dataset.corner = String(corner); }, MARK_MOVES_MS);
}

for (const player of document.querySelectorAll("[data-player][data-events]")) guard(player);
