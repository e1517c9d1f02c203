// Features of a genome: a map of both strands of the selected contig, and a table of its features.

let contigs = [];
const LETTER = 0, START = 1, END = 2, STRAND = 3, SCORE = 4;
const ROW = 34, LANE = 64, LEAST_BASES = 30;
const state = { chosen: null, from: 0, to: 0, hidden: new Set(), least: 0, order: "place", shown: [], marked: null };
let finder = null;

const wanted = (feature) => !state.hidden.has(feature[LETTER]) && feature[SCORE] >= state.least;

function select() {
  state.shown = state.chosen.features.filter(wanted);
  if (state.order === "score") state.shown = [...state.shown].sort((a, b) => b[SCORE] - a[SCORE] || a[START] - b[START]);
  document.getElementById("count").textContent = `${whole(state.shown.length)} of ${whole(state.chosen.features.length)} features`;
  drawMap();
  drawTable();
}

// ---- the map ------------------------------------------------------------------------------

function lanes(width, from, to, feature, height, extra) {
  const scale = width / (to - from);
  const x = (feature[START] - 1 - from) * scale, wide = Math.max((feature[END] - feature[START] + 1) * scale, 1.5);
  const tall = 6 + (height - 10) * feature[SCORE];
  const y = feature[STRAND] === "+" ? height - tall : height;
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(wide)}" height="${n(tall)}" fill="${classOf(feature[LETTER]).colour}"${extra || ""}/>`;
}

// The window of the contig as SVG without its root, `width` pixels wide.
function mapContent(width) {
  const { from, to } = state, span = to - from;
  const inside = state.chosen.features.filter((one) => wanted(one) && one[END] > from && one[START] <= to);
  const step = 10 ** Math.floor(Math.log10(span / 3)), every = span / step > 12 ? step * 5 : span / step > 6 ? step * 2 : step;
  const ticks = [];
  for (let at = Math.ceil((from + 1) / every) * every; at <= to; at += every) {
    const x = ((at - 0.5 - from) * width) / span;
    ticks.push(`<path d="M${n(x)} ${LANE - 3}v6" stroke="var(--muted, #59636e)"/>`);
    if (x > 12 && x < width - 12) ticks.push(`<text x="${n(x)}" y="${2 * LANE + 16}" text-anchor="middle">${whole(at)}</text>`);
  }
  const outline = ' stroke="var(--ink, #1c2127)" stroke-width="1.5"';
  const parts = inside.map((one) => lanes(width, from, to, one, LANE, one === state.marked ? outline : ""));
  return `<text x="2" y="${LANE - 22}" font-size="16">+</text><text x="2" y="${LANE + 34}" font-size="16">−</text>
    <svg x="24" width="${width}" height="${2 * LANE + 22}" overflow="hidden"><path d="M0 ${LANE}h${width}" stroke="var(--bar, #8a929b)"/>${ticks.join("")}${parts.join("")}</svg>`;
}

function drawMap() {
  const { chosen, from, to } = state, span = to - from;
  const map = document.getElementById("map"), width = map.clientWidth - 30;
  const overview = state.shown.length > 5000 ? state.shown.filter((_, at) => at % Math.ceil(state.shown.length / 5000) === 0) : state.shown;
  const whole_ = overview.map((one) => lanes(width, 0, chosen.length, one, 14)).join("");
  const window_ = `<rect x="${n((from * width) / chosen.length)}" y="0.5" width="${n(Math.max((span * width) / chosen.length, 3))}" height="27" rx="3" fill="var(--accent)" fill-opacity=".12" stroke="var(--accent)"/>`;
  map.innerHTML = `<svg width="${width + 30}" height="36" aria-hidden="true"><g transform="translate(24 1)">${whole_}<path d="M0 14h${width}" stroke="var(--bar)"/>${window_}</g></svg>
    <svg id="lanes" width="${width + 30}" height="${2 * LANE + 22}" aria-hidden="true">${mapContent(width)}</svg>`;
  document.getElementById("window").textContent = `${whole(from + 1)} to ${whole(to)}`;
}

const PAPER_WIDTH = 900;

// The window and its classes as a drawing of its own.
function figure() {
  const { chosen, from, to } = state, below = 34 + 2 * LANE + 22, height = below + 26;
  const shown = settings.classes.filter((one) => one.letter !== settings.background && !state.hidden.has(one.letter));
  let x = 24;
  const keys = shown.map((one) => {
    const key = `<rect x="${x}" y="${below + 4}" width="10" height="10" rx="2" fill="${one.colour}"/><text x="${x + 15}" y="${below + 13}">${escaped(one.name)}</text>`;
    x += 35 + 7 * one.name.length;
    return key;
  });
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${PAPER_WIDTH + 30}" height="${height}" viewBox="0 0 ${PAPER_WIDTH + 30} ${height}" ` +
    `font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1c2127"><rect width="100%" height="100%" fill="#fff"/>` +
    `<text x="24" y="20" font-size="15" font-weight="600">${escaped(chosen.id)} ${whole(from + 1)} to ${whole(to)}</text><g transform="translate(0 34)">${mapContent(PAPER_WIDTH)}</g>${keys.join("")}</svg>`;
  // Drawing programs do not support CSS variables.
  return text.replace(/var\(--\w+, (#\w+)\)/g, "$1");
}

function show(from, to) {
  const size = state.chosen.length, span = Math.min(Math.max(Math.round(to - from), Math.min(LEAST_BASES, size)), size);
  state.from = Math.min(Math.max(Math.round(from), 0), size - span);
  state.to = state.from + span;
  drawMap();
}

function zoom(factor) {
  const middle = (state.from + state.to) / 2, half = ((state.to - state.from) * factor) / 2;
  show(middle - half, middle + half);
}

function centre(place, span) {
  const half = Math.min(span || state.to - state.from, state.chosen.length) / 2;
  show(place - half, place + half);
}

function featureAt(event) {
  const map = document.getElementById("lanes").getBoundingClientRect();
  const scale = (state.to - state.from) / (map.width - 30);
  const place = state.from + (event.clientX - map.left - 24) * scale, slack = 4 * scale;
  const strand = event.clientY - map.top < LANE ? "+" : "-";
  let best = null;
  for (const one of state.shown) {
    if (one[STRAND] === strand && one[START] - 1 - slack <= place && one[END] + slack >= place && (!best || one[SCORE] > best[SCORE])) best = one;
  }
  return best;
}

const sentence = (one) =>
  `<b>${escaped(classOf(one[LETTER]).name)}</b> ${whole(one[START])} to ${whole(one[END])} · ${one[STRAND] === "+" ? "plus" : "minus"} strand · score ${one[SCORE].toFixed(3)}`;

function mark(feature) {
  if (!feature || feature === state.marked) return;
  state.marked = feature;
  document.getElementById("status").innerHTML = sentence(feature);
  drawMap();
}

function onMapKey(event) {
  const span = state.to - state.from;
  const acts = { ArrowLeft: () => show(state.from - span / 4, state.to - span / 4), ArrowRight: () => show(state.from + span / 4, state.to + span / 4),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), Home: () => show(0, span), End: () => show(state.chosen.length - span, state.chosen.length) };
  if (!(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
}

// ---- the table ----------------------------------------------------------------------------

function drawTable() {
  const box = document.getElementById("features"), body = box.querySelector("tbody");
  const from = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
  const to = Math.min(state.shown.length, from + Math.ceil(box.clientHeight / ROW) + 8);
  const filler = (rows) => (rows ? `<tr aria-hidden="true"><td colspan="5" style="height:${rows * ROW}px;padding:0;border:0"></td></tr>` : "");
  const rows = state.shown.slice(from, to).map((one, at) =>
    `<tr><td><button class="link" data-at="${from + at}"><i style="background:${classOf(one[LETTER]).colour}"></i>${escaped(classOf(one[LETTER]).name)}</button></td>` +
    `<td class="n">${whole(one[START])}</td><td class="n">${whole(one[END])}</td><td>${one[STRAND] === "+" ? "+" : "−"}</td><td class="n">${one[SCORE].toFixed(3)}</td></tr>`);
  body.innerHTML = state.shown.length ? filler(from) + rows.join("") + filler(state.shown.length - to)
    : '<tr><td colspan="5">No feature of these classes has this score.</td></tr>';
}

const asBed = () => state.shown.map((one) =>
  [state.chosen.id, one[START] - 1, one[END], classOf(one[LETTER]).name.replace(/\s/g, "_"), Math.round(1000 * one[SCORE]), one[STRAND]].join("\t")).join("\n") + "\n";

// ---- the chosen contig --------------------------------------------------------------------

function choose(contig) {
  Object.assign(state, { chosen: contig, marked: null, from: 0, to: Math.min(contig.length, 20000) });
  const first = contig.features[0];
  const counts = settings.classes.filter((one) => one.letter !== settings.background).map((one) => {
    const own = contig.features.filter((feature) => feature[LETTER] === one.letter);
    const plus = own.filter((feature) => feature[STRAND] === "+").length;
    return `<li><label><input type="checkbox" data-letter="${escaped(one.letter)}"${state.hidden.has(one.letter) ? "" : " checked"}><i style="background:${one.colour}"></i>${escaped(one.name)}</label> <span class="muted">${whole(plus)} plus, ${whole(own.length - plus)} minus</span></li>`;
  });
  const detail = document.getElementById("detail");
  detail.innerHTML = `<h2></h2><dl class="facts"><div><dt>Bases</dt><dd>${whole(contig.length)}</dd></div>
      <div><dt>Features</dt><dd>${whole(contig.features.length)}</dd></div>
      <div><dt>Shown</dt><dd id="window"></dd></div></dl>
    <div class="tools">
      <form id="jump"><label>Position <input type="number" min="1" max="${contig.length}" required></label><button>Go</button></form>
      <button id="in" >Zoom in</button><button id="out" >Zoom out</button><button id="all">Whole contig</button>
      <span class="gap"></span><button id="copy">Copy as BED</button><button id="svg">Save SVG</button></div>
    <ul class="keys">${counts.join("")}</ul>
    <p id="status" role="status">Point at a feature. Arrow keys move the window, + and - zoom.</p>
    <div id="map" tabindex="0" role="img"></div>
    <div class="tools below"><span id="count" role="status"></span>
      <label>Minimum score <input type="number" id="least" min="0" max="1" step="0.05" value="${state.least}"></label>
      <label>Order <select id="sort"><option value="place">by position</option><option value="score">best first</option></select></label></div>
    <div id="features" tabindex="0" role="region" aria-label="Table of features"><table><thead><tr><th scope="col">Feature</th><th scope="col" class="n">Start</th><th scope="col" class="n">End</th><th scope="col">Strand</th><th scope="col" class="n">Score</th></tr></thead><tbody></tbody></table></div>`;
  detail.querySelector("h2").textContent = contig.id;
  document.getElementById("sort").value = state.order;
  document.title = `${contig.id} · grubio`;
  const on = (id, kind, act) => document.getElementById(id).addEventListener(kind, act);
  on("jump", "submit", (event) => { event.preventDefault(); centre(Number(event.target.elements[0].value) - 1); });
  on("in", "click", () => zoom(0.5));
  on("out", "click", () => zoom(2));
  on("all", "click", () => show(0, contig.length));
  on("copy", "click", () => copyText(asBed(), `Copied ${whole(state.shown.length)} lines of BED.`));
  on("svg", "click", () => save(new Blob([figure()], { type: "image/svg+xml" }), state.chosen.id, "svg"));
  on("least", "input", (event) => { state.least = Number(event.target.value) || 0; select(); });
  on("sort", "change", (event) => { state.order = event.target.value; select(); });
  on("map", "keydown", onMapKey);
  on("map", "pointermove", (event) => mark(featureAt(event)));
  on("map", "click", (event) => {
    const map = document.getElementById("map").getBoundingClientRect();
    if (event.clientY - map.top < 36) centre(((event.clientX - map.left - 24) / (map.width - 30)) * contig.length);
  });
  on("features", "scroll", drawTable);
  on("features", "click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const feature = state.shown[Number(button.dataset.at)];
    centre((feature[START] + feature[END]) / 2, Math.min(state.to - state.from, 2000));
    mark(feature);
  });
  detail.querySelector(".keys").addEventListener("change", (event) => {
    if (event.target.checked) state.hidden.delete(event.target.dataset.letter);
    else state.hidden.add(event.target.dataset.letter);
    select();
  });
  document.getElementById("map").setAttribute("aria-label", `Map of ${contig.id}, plus strand above, minus strand below.`);
  if (first && first[START] > state.to) centre(first[START]);
  select();
}

function present(given, lines) {
  take(given);
  contigs = [];
  for (const line of lines) {
    if (line.contig !== undefined) contigs.push({ id: line.contig, length: line.length, features: [] });
    else contigs[contigs.length - 1].features.push(line);
  }
  const count = contigs.reduce((sum, one) => sum + one.features.length, 0);
  document.getElementById("title").textContent = settings.title;
  document.getElementById("about").textContent =
    `${whole(contigs.length)} ${contigs.length === 1 ? "contig" : "contigs"}, ${whole(count)} called ${count === 1 ? "feature" : "features"} · grubio ${settings.version}${settings.model && ` · model ${settings.model}`}`;
  if (!contigs.length) {
    showEmpty("This file holds no contigs.");
    return;
  }
  finder = makeFinder({
    items: contigs, units: ["contig", "contigs"], choose,
    describe: (contig) => `<span>${whole(contig.length)} bases</span><span>${whole(contig.features.length)} features</span>`,
    orders: [["as in the file", null], ["id", (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)],
      ["longest first", (a, b) => b.length - a.length], ["most features first", (a, b) => b.features.length - a.features.length]],
  });
  finder.select(contigs.find((one) => one.id === linked()) || contigs[0]);
}

addEventListener("resize", () => { if (state.chosen) { finder.draw(); drawMap(); } });
