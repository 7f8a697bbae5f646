// What a browser can tell about its page. Each function answers with sentences about what is wrong; none is well.
({
  // Whatever shows text lies within the window, and no box hides a part of its own words.
  cut() {
    const SKIPPED = ".govuk-visually-hidden, .vault-wide, svg, video, details:not([open]), .govuk-skip-link, [hidden]";
    const wide = document.documentElement.clientWidth;
    const faults = [];
    for (const part of document.body.querySelectorAll("*")) {
      if (part.closest(SKIPPED)) continue;
      if (![...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
      const style = getComputedStyle(part);
      if (style.position === "absolute" && style.clip !== "auto") continue;
      const box = part.getBoundingClientRect();
      if (!box.width || !box.height) continue;
      const hides = ["hidden", "clip"].includes(style.overflowX) && part.scrollWidth > part.clientWidth + 1;
      const said = part.textContent.trim().slice(0, 40);
      if (box.right > wide + 1 || box.left < -1) faults.push(`“${said}” leaves the window`);
      else if (hides) faults.push(`“${said}” is cut`);
    }
    return faults;
  },

  frame() {
    const faults = [];
    const heads = [...document.querySelectorAll("h1")];
    const words = document.querySelector("main").innerText;
    if (document.documentElement.lang !== "en") faults.push("no language");
    if (heads.length !== 1 || !heads[0].textContent.trim()) faults.push(`${heads.length} first headings`);
    if (document.querySelectorAll("main").length !== 1) faults.push("not one main part");
    if (/undefined|\bNone(,|$)|\{\{|\}\}|Markup\(|datetime\./m.test(words)) faults.push("words of a program");
    for (const time of document.querySelectorAll("time")) {
      const fits = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/.test(time.dateTime);
      if (!fits) faults.push(`a time that says ${time.dateTime}`);
    }
    const bare = [...document.querySelectorAll("main p, main li, main td, main th")]
      .filter((one) => !one.closest("details, .vault-alarm, .govuk-inset-text, .vault-player"))
      .flatMap((one) => [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data));
    if (bare.some((text) => /\d:\d\d(am|pm)|\d{4} at /.test(text))) faults.push("a time that programs can't read");
    return faults;
  },

  // In forced colours only borders, outlines and underlines are left of a control.
  edges() {
    const CONTROLS = "button, .govuk-button, input:not([type=hidden]), select, textarea";
    return [...document.querySelectorAll(CONTROLS)]
      .filter((one) => one.offsetParent && !["range", "radio", "checkbox"].includes(one.type))
      .filter((one) => {
        const style = getComputedStyle(one);
        const sides = [["borderTopWidth", "borderTopStyle"], ["borderBottomWidth", "borderBottomStyle"]];
        const edged = sides.some(([width, kind]) => parseFloat(style[width]) > 0 && style[kind] !== "none");
        return !edged && !parseFloat(style.outlineWidth) && !style.textDecorationLine.includes("underline");
      })
      .map((one) => `“${(one.textContent || one.name).trim().slice(0, 30)}” has no edge`);
  },

  moving() {
    return document.getAnimations().filter((one) => one.playState === "running").map(() => "something moves");
  },

  // Where a press of Tab has led, and whether one can see that.
  stop() {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    const inside = (value, most) => Math.min(Math.max(value, 1), most - 2);
    const x = inside(box.left + box.width / 2, innerWidth);
    const y = inside(box.top + Math.min(box.height, 30) / 2, innerHeight);
    const top = document.elementFromPoint(x, y);
    const label = at.labels && at.labels[0];
    if (!at.dataset.stop) at.dataset.stop = String(document.querySelectorAll("[data-stop]").length + 1);
    return {
      key: at.dataset.stop,
      name: (at.textContent || at.name || at.id || at.tagName).trim().slice(0, 40),
      tag: at.tagName,
      seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
      marked: (parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none") || style.boxShadow !== "none",
      free: !top || at.contains(top) || top.contains(at) || Boolean(label && label.contains(top))
        || ["radio", "checkbox"].includes(at.type),
    };
  },

  // What the presses of Tab have not come to.
  missed() {
    const STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, video[controls], [tabindex='0']";
    const seen = new Set();
    const missed = [];
    for (const one of document.querySelectorAll(STOPS)) {
      if (one.disabled || !one.offsetParent || getComputedStyle(one).visibility === "hidden") continue;
      if (one.dataset.stop || (one.closest("details:not([open])") && one.tagName !== "SUMMARY")) continue;
      if (one.type === "radio") {
        if (seen.has(one.name) || document.querySelector(`[name="${one.name}"][data-stop]`)) continue;
        seen.add(one.name);
      }
      missed.push(`“${(one.textContent || one.name || one.tagName).trim().slice(0, 40)}” can't be reached by keyboard`);
    }
    return missed;
  },
})
