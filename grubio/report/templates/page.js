"use strict";
// Sorts tables by a column and switches between coarse and fine classes. Without this script tables
// keep their order and the classes of both schemes are shown.

const ORDERS = { none: "ascending", ascending: "descending", descending: "none" };

function makeSortable(table) {
  const body = table.tBodies[0];
  const given = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const order = ORDERS[header.getAttribute("aria-sort") ?? "none"];
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      if (order !== "none") header.setAttribute("aria-sort", order);
      const numeric = header.classList.contains("n");
      body.append(...(order === "none" ? given : sorted(given, column, numeric, order)));
    });
  });
}

// Returns the rows ordered by a column; those without a value are last in either order.
function sorted(rows, column, numeric, order) {
  const sign = order === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => ({ row, key: cellKey(row.cells[column], numeric) }));
  const compare = numeric ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
    return sign * compare(a.key, b.key);
  });
  return keyed.map(({ row }) => row);
}

function cellKey(cell, numeric) {
  const text = (cell.dataset.value ?? cell.textContent).trim();
  if (!numeric) return text || null;
  const number = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) ? null : number;
}

function chosenScheme() {
  return document.querySelector("input[name=scheme]:checked")?.value;
}

function showScheme() {
  const chosen = chosenScheme();
  for (const part of document.querySelectorAll("[data-scheme]")) {
    part.hidden = chosen !== undefined && part.dataset.scheme !== chosen;
  }
}

for (const table of document.querySelectorAll("table:not(.fixed, .matrix)")) {
  if (table.tHead) makeSortable(table);
}
for (const input of document.querySelectorAll("input[name=scheme]")) {
  input.addEventListener("change", showScheme);
}
showScheme();
