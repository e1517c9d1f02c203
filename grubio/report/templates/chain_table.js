// The table of test chains: its filters, and buttons that draw a chain.

const chainRows = [...document.querySelectorAll("#chain-table tbody tr")];
const opened = drawings.find((drawing) => drawing.article.parentElement.id === "open-chain");

function openChain(row) {
  chainRows.forEach((other) => other.classList.toggle("chosen", other === row));
  const chain = CHAINS.chains[row.dataset.chain];
  document.querySelector("#open-chain h3").textContent = "Selected";
  opened.show(chain);
  opened.box.focus({ preventScroll: true });
  opened.article.scrollIntoView({ block: "nearest" });
}

for (const row of chainRows.filter((row) => opened && row.dataset.chain !== undefined)) {
  const button = html("button", "open", ...row.cells[0].childNodes);
  button.type = "button";
  button.title = "Draw this below";
  button.addEventListener("click", () => openChain(row));
  row.cells[0].append(button);
}

const filters = document.querySelector(".filters");

function filterChains() {
  const asked = (name) => filters.elements[name].value.trim();
  const within = (cell, low, high) => {
    const value = parseFloat(cell.textContent);
    return !(low && !(value >= low)) && !(high && !(value <= high));
  };
  let shown = 0;
  for (const row of chainRows) {
    const named = row.cells[0].textContent.toLowerCase().includes(asked("id").toLowerCase());
    row.hidden = !(
      named &&
      within(row.cells[1], asked("shortest"), asked("longest")) &&
      within(row.cells[2], asked("lowest"), asked("highest"))
    );
    shown += !row.hidden;
  }
  filters.querySelector("output").textContent = `${shown} of ${chainRows.length} shown`;
}

filters.addEventListener("input", filterChains);
filters.addEventListener("submit", (event) => event.preventDefault());
