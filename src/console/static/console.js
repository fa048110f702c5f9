// The little that pages do by themselves: keys in lists, the progress of a run, and what is told while it is done. Without it all else works.
"use strict";

(() => {
  const rows = [...document.querySelectorAll("[data-row]")];
  const box = document.getElementById("q");
  const back = document.getElementById("back");

  const typing = (target) => target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");

  const move = (by) => {
    const at = rows.indexOf(document.activeElement);
    const to = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
    rows[to]?.focus();
    rows[to]?.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      if (typing(event.target)) event.target.blur();
      else if (back) back.click();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "j" && rows.length) move(1);
    else if (event.key === "k" && rows.length) move(-1);
    else if (event.key === "/" && box) { box.focus(); box.select(); }
    else return;
    event.preventDefault();
  });

  // Whoever comes back to a list goes on where they were, whichever message was open beside it.
  const here = new URL(location);
  here.searchParams.delete("open");
  const place = "row:" + here.pathname + here.search;
  for (const row of rows) row.addEventListener("click", () => sessionStorage.setItem(place, row.getAttribute("href")));
  const last = rows.find((row) => row.hasAttribute("aria-current")) ?? rows.find((row) => row.getAttribute("href") === sessionStorage.getItem(place));
  if (last) last.focus();

  // A file becomes the text of a field.
  for (const chooser of document.querySelectorAll("[data-file]")) {
    chooser.hidden = false;
    const field = document.getElementById(chooser.dataset.file);
    chooser.querySelector("input").addEventListener("change", async (event) => {
      const file = event.target.files[0];
      if (file) { field.value = await file.text(); field.focus(); }
    });
  }

  // On paper nothing is folded.
  addEventListener("beforeprint", () => { for (const part of document.querySelectorAll(".quoted")) part.open = true; });

  for (const live of document.querySelectorAll("[data-events]")) {
    const language = document.documentElement.lang;
    const number = new Intl.NumberFormat(language);
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    const bytes = (many) => {
      const unit = Math.min(Math.floor(Math.log10(Math.max(many, 1)) / 3), units.length - 1);
      return new Intl.NumberFormat(language, { style: "unit", unit: units[unit], maximumFractionDigits: 1 }).format(many / 1000 ** unit);
    };
    const amount = live.hasAttribute("data-bytes") ? bytes : (many) => number.format(many);
    const part = (name) => live.querySelector(`[data-${name}]`);
    const span = (seconds) => {
      const unit = seconds < 120 ? "second" : seconds < 7200 ? "minute" : "hour";
      const value = Math.ceil(seconds / { second: 1, minute: 60, hour: 3600 }[unit]);
      return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(value);
    };
    let first = null;
    let heard = true;
    const events = new EventSource(live.dataset.events);
    // A connection that ended without a word was about something that has no end to tell: the page says how it stands.
    events.addEventListener("open", () => {
      if (!heard) { events.close(); location.reload(); }
      heard = false;
    });
    events.addEventListener("progress", (event) => {
      heard = true;
      const { done, expected } = JSON.parse(event.data);
      const now = performance.now() / 1000;
      first ??= { done, at: now };
      const rate = now - first.at > 1 ? (done - first.done) / (now - first.at) : 0;
      part("done").textContent = amount(done);
      part("expected").textContent = amount(Math.max(expected, done));
      const bar = part("progress");
      if (expected > 0) { bar.max = Math.max(expected, done); bar.value = done; }
      part("rate").textContent = rate > 0 ? `${amount(Math.round(rate))} ${part("rate").dataset.unit}` : "";
      part("left").textContent = rate > 0 && expected > done ? `${part("left").dataset.text} ${span((expected - done) / rate)}` : "";
    });
    for (const end of ["run", "verified", "compacted", "index"]) events.addEventListener(end, () => { events.close(); location.reload(); });
  }

  // Work that is told while it is done: each `add` is one more of a list, each `put` stands in place of the one before.
  const told = document.querySelector("form[data-stream]");
  if (told) {
    const button = told.querySelector("button");
    const begin = () => {
      button.disabled = true;
      told.querySelector("[data-cut]").hidden = true;
      told.querySelector("[data-add]")?.replaceChildren();
      const events = new EventSource(told.dataset.stream);
      events.addEventListener("add", (event) => told.querySelector("[data-add]").insertAdjacentHTML("beforeend", event.data));
      events.addEventListener("put", (event) => { told.querySelector("[data-put]").innerHTML = event.data; });
      events.addEventListener("end", () => { events.close(); location.reload(); });
      events.addEventListener("error", () => { events.close(); button.disabled = false; told.querySelector("[data-cut]").hidden = false; });
    };
    told.addEventListener("submit", (event) => { event.preventDefault(); begin(); });
    if (told.hasAttribute("data-now")) begin();
  }

  // What is chosen fills in what usually goes with it, unless something else was typed.
  const fills = [...document.querySelectorAll("[data-fill]")];
  for (const choice of fills) choice.addEventListener("change", () => {
    const field = document.getElementById(choice.dataset.into);
    if (field.value === "" || fills.some((one) => one.dataset.fill === field.value)) field.value = choice.dataset.fill;
  });
})();
