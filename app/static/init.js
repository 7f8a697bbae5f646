// Brings GOV.UK Frontend's components to life (menu, error summary, exit this page, password field).
import { ExitThisPage, createAll, initAll } from "./vendor/govuk.js";

// GOV.UK's component with three things more: the page is gone from the history, it is signed out of, and nothing waits
// for that. By button, by skip link, or by pressing Shift three times.
class Leaving extends ExitThisPage {
  static moduleName = "vault-exit-this-page";

  exitPage() {
    document.body.classList.add("govuk-exit-this-page-hide-content");
    document.title = "";
    this.$overlay = document.createElement("div");
    this.$overlay.className = "govuk-exit-this-page-overlay";
    this.$overlay.setAttribute("role", "alert");
    document.body.appendChild(this.$overlay);
    this.$overlay.textContent = this.i18n.t("activated");
    for (const video of document.querySelectorAll("video")) video.pause();
    navigator.sendBeacon(this.$button.href);
    location.replace(this.$root.dataset.away);
  }
}

createAll(Leaving);
initAll();

// A page that a browser kept in memory is asked for anew, so that "back" shows it only to whoever is still signed in.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
