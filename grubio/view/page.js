"use strict";
// Shared by the pages of predictions: data, copying and saving, and the list of items. A script that
// draws the items defines `present`, which is called with settings (`about` of page.py) and items.

let settings = null, classes = new Map();
const UNKNOWN = { letter: "?", name: "no confident label", colour: "#8a929b", ribbon: null, column: -1 };
const ITEM = 52;

function presentData() {
  const text = (id) => document.getElementById(id).textContent;
  const lines = text("data").split("\n").filter(Boolean).map((line) => JSON.parse(line));
  present(JSON.parse(text("settings")), lines);
}

function take(given) {
  settings = given;
  classes = new Map(settings.classes.map((one, column) => [one.letter, { ...one, column }]));
  UNKNOWN.ribbon = settings.unlabelled;
}

const classOf = (letter) => classes.get(letter) || UNKNOWN;
// The letter and the name of a class; only one if they are equal.
const titleOf = (one) => (one.name === one.letter ? one.letter : `${one.letter} ${one.name}`);
const whole = (value) => value.toLocaleString("en-US");
const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => escapes[letter]);

// The fragment of the address; a % in it need not be an escape.
function linked() {
  const text = location.hash.slice(1);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// ---- copying and saving --------------------------------------------------------------------

async function copyText(text, message) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  note(message);
}

function save(blob, name, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name.replace(/[^A-Za-z0-9._-]/g, "_")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function note(text) {
  document.querySelector(".notice")?.remove();
  const box = document.createElement("div");
  box.className = "notice";
  box.setAttribute("role", "status");
  box.textContent = text;
  document.body.append(box);
  setTimeout(() => box.remove(), 4000);
}

// ---- the list -----------------------------------------------------------------------------

// A list of items with an `id`; only the visible ones are in the document.
function makeFinder({ items, units, orders, describe, choose }) {
  const box = document.getElementById("finder");
  const options = orders.map(([label], at) => `<option value="${at}">${label}</option>`).join("");
  box.innerHTML = `<div class="search">
      <label>Search by id <input type="search" id="search" placeholder="all" autocomplete="off" spellcheck="false"></label>
      <label>Order <select id="order">${options}</select></label>
    </div><p class="found" id="found" role="status"></p>
    <div id="list" role="listbox" tabindex="0" aria-label="${units[1]}"><div></div></div>`;
  const list = document.getElementById("list"), room = list.firstElementChild;
  const search = document.getElementById("search"), order = document.getElementById("order");
  let shown = items, chosen = null;
  items.forEach((item, place) => { item.place = place; });

  function draw() {
    const from = Math.max(0, Math.floor(list.scrollTop / ITEM) - 3);
    const to = Math.min(shown.length, from + Math.ceil(list.clientHeight / ITEM) + 6);
    room.style.height = `${shown.length * ITEM}px`;
    const rows = [];
    for (let at = from; at < to; at++) {
      const item = shown[at], row = document.createElement("div");
      row.className = "item";
      row.id = `item-${item.place}`;
      row.style.top = `${at * ITEM}px`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", item === chosen);
      row.setAttribute("aria-posinset", at + 1);
      row.setAttribute("aria-setsize", shown.length);
      row.innerHTML = `<b></b><small>${describe(item)}</small>`;
      row.firstChild.textContent = item.id;
      row.title = item.id;
      row.addEventListener("click", () => select(item));
      rows.push(row);
    }
    room.replaceChildren(...rows);
    if (chosen) list.setAttribute("aria-activedescendant", `item-${chosen.place}`);
  }

  function select(item, ...more) {
    chosen = item;
    const at = shown.indexOf(item);
    if (at >= 0 && at * ITEM < list.scrollTop) list.scrollTop = at * ITEM;
    if (at >= 0 && (at + 1) * ITEM > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * ITEM - list.clientHeight;
    draw();
    choose(item, ...more);
  }

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    const compare = orders[Number(order.value)][1];
    shown = items.filter((item) => item.id.toLowerCase().includes(wanted));
    if (compare) shown.sort((a, b) => compare(a, b) || a.place - b.place);
    document.getElementById("found").textContent = !shown.length ? "No id contains this text."
      : shown.length === items.length ? `${whole(items.length)} ${units[items.length === 1 ? 0 : 1]}`
      : `${whole(shown.length)} of ${whole(items.length)} ${units[1]}`;
    list.scrollTop = 0;
    draw();
  }

  list.addEventListener("scroll", draw);
  list.addEventListener("keydown", (event) => {
    const at = shown.indexOf(chosen), last = shown.length - 1;
    const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last,
      PageDown: Math.min(at + 8, last), PageUp: Math.max(at - 8, 0) }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    select(shown[to]);
  });
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && shown.length) select(shown[0]);
  });
  order.addEventListener("change", filter);
  document.querySelector("main").classList.toggle("single", items.length === 1);
  filter();
  return { draw, select };
}

function showEmpty(text) {
  document.getElementById("detail").innerHTML = `<p class="empty">${text}</p>`;
  document.getElementById("finder").hidden = true;
}
