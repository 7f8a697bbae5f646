// Long jobs: asks how far each one is, shows it, says it politely, and shows the page anew when it has ended.
// A job's address answers {state: waiting | running | done | failed, percent: 0 to 100 or null, text}.
const EVERY_MS = 2000;

// Without what was said on top when the job began.
function showAnew() {
  const here = new URL(location.href);
  if (!here.searchParams.has("saved")) {
    location.reload();
    return;
  }
  here.searchParams.delete("saved");
  location.replace(here);
}

async function follow(box) {
  const bar = box.querySelector("progress");
  const text = box.querySelector("[data-progress-text]");
  for (;;) {
    await new Promise((later) => setTimeout(later, EVERY_MS));
    let job;
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status >= 400 && answer.status < 500) return;
      if (!answer.ok) continue;
      job = await answer.json();
    } catch {
      if (text.textContent !== "Waiting for the internet") text.textContent = "Waiting for the internet";
      continue;
    }
    if (job.percent === null) bar.removeAttribute("value");
    else bar.value = job.percent;
    if (text.textContent !== job.text) text.textContent = job.text;
    if (job.state === "done" || job.state === "failed") {
      if (!document.body.hasAttribute("data-busy")) showAnew(); // not while a film is being sent
      return;
    }
  }
}

for (const box of document.querySelectorAll("[data-progress]")) follow(box);
