"use strict";
// Draws one trial's details from the data in the page. Whatever came from a target becomes a text
// node; nothing here writes markup.
const trials = JSON.parse(document.getElementById("data").textContent);
const SIGNS = { leak: "‼", fail: "✗", error: "!", blocked: "⊘", deviates: "≠", unsupported: "–", observed: "·", pass: "✓" };
const PASSED = ["pass", "observed", "unsupported"];

const detail = document.getElementById("detail");
const search = document.getElementById("search");
const level = document.getElementById("level");
const broken = document.getElementById("broken");
const chips = [...document.querySelectorAll("[data-verdict]")];
const cells = [...document.querySelectorAll(".cell")];
const cellOf = new Map(cells.map((cell) => [Number(cell.dataset.n), cell]));
const numberOf = new Map(trials.map((trial, n) => [trial.name, n]));
const texts = [];
let chosen = -1;

function el(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (name === "on") node.addEventListener("click", value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function link(n) {
  return cellOf.get(n).getAttribute("href");
}

// Selects the text where the page may not write to the clipboard.
function copyable(text) {
  const pre = el("pre", {}, text);
  const button = el("button", { type: "button", class: "copy", on: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(pre);
      button.textContent = "selected";
    }
  } }, "copy");
  return el("div", { class: "copied" }, pre, button);
}

function source(text) {
  const address = /https:\/\/[\w./~%?=#&+-]+$/.exec(text);
  if (!address) return el("p", { class: "source" }, text);
  return el("p", { class: "source" }, text.slice(0, address.index),
    el("a", { href: address[0], rel: "noreferrer noopener", target: "_blank" }, address[0]));
}

function message(title, message) {
  if (!message) return el("div", {}, el("h3", {}, title), el("p", { class: "dim" }, "none came"));
  const lines = [message.line, ...message.headers.map(([name, value]) => name + ": " + value)];
  if (message.body_text) lines.push("", message.body_text);
  else if (message.length || message.body_is) {
    lines.push("", "[" + (message.body_is || "body") + ", " + message.length + " bytes]");
  }
  return el("div", {}, el("h3", {}, title), el("pre", {}, lines.join("\n")));
}

function checks(list) {
  if (!list.length) return null;
  return el("table", { class: "checks" },
    el("thead", {}, el("tr", {}, ["check", "expected", "observed", "rests on"].map((word) => el("th", { scope: "col" }, word)))),
    el("tbody", {}, list.map((check) => el("tr", { class: check.ok ? "ok" : "no" },
      el("td", {}, (check.ok ? "✓ " : "✗ ") + check.what), el("td", {}, check.expected), el("td", {}, check.observed),
      el("td", { class: "dim" }, check.evidence || "")))));
}

function step(trial, step, last) {
  const bad = step.checks.some((check) => !check.ok);
  const name = step.phase === "steps" ? "step" : step.phase;
  const summary = el("summary", {}, el("b", { class: bad ? "v-fail" : "v-pass" }, bad ? "✗" : "✓"),
    " " + name + " " + step.number + ": " + step.operation + (step.answer ? ", answered " + step.answer : ""),
    el("span", { class: "dim" }, (step.outcome ? " · expects " + step.outcome : "") + " · " + step.at.file + ":" + step.at.line));
  const exchange = step.exchange;
  return el("details", { class: bad ? "step broken" : "step", open: bad || (last && trial.steps.length === 1) }, summary,
    checks(step.checks),
    exchange ? el("div", { class: "exchange" }, message("Request", exchange.request), message("Response", exchange.response)) : null,
    exchange && exchange.curl ? el("div", {}, el("h3", {}, "curl"), copyable(exchange.curl)) : null);
}

// The scenario's lines; the one that decided is lit, and marked for those who see no colour.
function excerpt(part) {
  if (!part) return null;
  const line = (text, i) => {
    const number = part.first + i, lit = number === part.lit;
    return el(lit ? "mark" : "span", {}, (lit ? "▸" : " ") + String(number).padStart(4) + "  " + text + "\n");
  };
  return el("pre", { class: "excerpt" }, part.lines.map(line));
}

function siblings(trial) {
  const same = trials.map((other, n) => [other, n]).filter(([other]) => other.suite === trial.suite && other.id === trial.id);
  if (same.length < 2) return null;
  return el("div", {}, el("h3", {}, "Other cells of this case"),
    trial.siblings ? el("p", { class: "siblings" }, trial.siblings) : null, el("div", { class: "row" },
    same.filter(([other]) => other !== trial).map(([other, n]) => el("a", { class: "cell v-" + other.verdict, href: link(n) },
      SIGNS[other.verdict], " ", el("span", { class: "label" }, other.cells.map((cell) => cell[1]).join(", "))))));
}

// Another try came to another verdict.
function flaky(trial) {
  return (trial.tries || []).some((one) => one.verdict !== trial.tries[0].verdict);
}

function draw(n) {
  const trial = trials[n];
  const list = (title, items) => items && items.length
    ? el("div", {}, el("h3", {}, title), el("ul", {}, items.map((item) => el("li", {}, item)))) : null;
  const steps = trial.steps || [];
  detail.replaceChildren(...[
    el("button", { type: "button", class: "close", "aria-label": "close", on: close }, "✕"),
    el("h2", {}, trial.name),
    el("p", {}, el("b", { class: "v-" + trial.verdict }, SIGNS[trial.verdict] + " " + trial.verdict + (trial.reason ? ": " + trial.reason : "")),
      el("span", { class: "dim" }, " · " + trial.level + (trial.counts ? ", counts" : "") + " · " + trial.ms + " ms"
        + (trial.attempts > 1 ? " · " + trial.attempts + " attempts" : "") + (flaky(trial) ? " · flaky" : ""))),
    list("Tries", (trial.tries || []).map((one) => SIGNS[one.verdict] + " " + one.verdict + (one.message ? ": " + one.message : ""))),
    trial.message ? el("p", { class: "message" }, trial.message) : null,
    el("h3", {}, "Requirement"), el("p", {}, trial.title), ...trial.sources.map(source),
    el("p", { class: "source" }, trial.at.file + ":" + trial.at.line + ":" + trial.at.column),
    excerpt(trial.excerpt),
    list("Waived", trial.waivers), list("Notes", trial.notes),
    steps.length ? el("h3", {}, "Steps") : null, ...steps.map((one, i) => step(trial, one, i === steps.length - 1)),
    trial.cut ? el("p", { class: "dim" }, "The page is full: the record has the rest of this trial.") : null,
    siblings(trial),
    trial.repeat ? el("div", {}, el("h3", {}, "Again"), copyable(trial.repeat.rerun), copyable(trial.repeat.nextest)) : null,
  ].filter(Boolean));
  detail.scrollTop = 0;
  detail.classList.add("open");
}

function mark(n) {
  for (const cell of cells) cell.removeAttribute("aria-current");
  chosen = n;
  if (n >= 0) cellOf.get(n).setAttribute("aria-current", "true");
}

// The address decides what is shown, so that a link opens what its sender saw.
function follow() {
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { /* taken as it is */ }
  const n = numberOf.get(name);
  if (n === undefined) return mark(-1);
  mark(n);
  draw(n);
  const cell = cellOf.get(n);
  if (cell.classList.contains("off")) showAll();
  cell.scrollIntoView({ block: "nearest" });
}

function close() {
  detail.classList.remove("open");
  const cell = cellOf.get(chosen);
  if (cell) cell.focus();
}

function showAll() {
  for (const chip of chips) chip.setAttribute("aria-pressed", "true");
  broken.setAttribute("aria-pressed", "false");
  level.value = "";
  search.value = "";
  filter();
}

function filter() {
  const verdicts = new Set(chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict));
  const onlyBroken = broken.getAttribute("aria-pressed") === "true";
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const cell of cells) {
    const n = Number(cell.dataset.n);
    const trial = trials[n];
    let fits = verdicts.has(trial.verdict) && !(onlyBroken && PASSED.includes(trial.verdict))
      && (!level.value || level.value === trial.level);
    if (fits && words.length) {
      texts[n] = texts[n] || JSON.stringify(trial).toLowerCase();
      fits = words.every((word) => texts[n].includes(word));
    }
    cell.classList.toggle("off", !fits);
    if (fits) shown += 1;
  }
  for (const group of document.querySelectorAll(".grid tbody tr, .case, .suite")) {
    group.classList.toggle("off", !group.querySelector(".cell:not(.off)"));
  }
  document.getElementById("shown").textContent = shown === cells.length ? shown + (shown === 1 ? " trial" : " trials") : shown + " of " + cells.length + " trials";
}

function go(by) {
  const visible = cells.filter((cell) => !cell.classList.contains("off"));
  if (!visible.length) return;
  const at = visible.indexOf(cellOf.get(chosen));
  const next = at < 0 ? (by > 0 ? 0 : visible.length - 1) : Math.min(Math.max(at + by, 0), visible.length - 1);
  location.hash = visible[next].getAttribute("href");
}

function toggle(button) {
  button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
  filter();
}

if (detail) {
  for (const chip of [...chips, broken]) chip.addEventListener("click", () => toggle(chip));
  level.addEventListener("change", filter);
  search.addEventListener("input", filter);
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", follow);
  // A link to the trial that is chosen already changes no address.
  document.addEventListener("click", (event) => {
    const at = event.target.closest("a[href^='#']");
    if (at && at.getAttribute("href") === location.hash) follow();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (document.activeElement === search) search.blur();
      else close();
      return;
    }
    if (event.target.matches("input, select")) return;
    const keys = { j: () => go(1), k: () => go(-1), f: () => toggle(broken), "/": () => search.focus() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  follow();
}
