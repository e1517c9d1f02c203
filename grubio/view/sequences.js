// Sequences: the selected one is drawn row by row; only visible rows are in the document.

let sequences = [];
const state = { chosen: null, cursor: 0, marked: false, tracks: true, layout: null };
const PAPER_WIDTH = 900;
let finder = null;

// ---- a sequence ---------------------------------------------------------------------------

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Targets besides the labels, each under its name in a line of data: values as bytes between its ends
// `low` and `high`, with deviations under the name and "sd", or the labels of other classes. Without
// labels a page is about the first target of values.
let ofValues = [], ofClasses = [], labelled = true, nameWidth = 0;

function takeTargets() {
  ofValues = settings.targets.filter((target) => !target.classes);
  ofClasses = settings.targets.filter((target) => target.classes)
    .map((target) => ({ ...target, known: new Map(target.classes.map((one) => [one.letter, one])) }));
  labelled = classes.size > 0;
  // Letters of the track names are 6.7 pixels wide.
  nameWidth = 16 + 6.7 * Math.max(9, ...settings.classes.map((one) => shortName(one).length), ...settings.targets.map((target) => target.name.length));
}

const unitOf = (track, place) => track.low + (track.high - track.low) * track.shares[place] / 255;
const deviationOf = (track, place) => (track.high - track.low) * track.spreads[place] / 255;
const written = (track, value) => value.toFixed(Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(track.high - track.low)))));
const meanOf = (track) => track.shares.reduce((sum, _, place) => sum + unitOf(track, place), 0) / track.shares.length;

function opened(sequence) {
  if (!sequence.values) {
    // A page that labels makes a line of data when it is drawn.
    Object.assign(sequence, sequence.line?.());
    sequence.labels = sequence.labels || "";
    sequence.values = bytes(sequence.probabilities || "");
    sequence.tracks = ofValues.map((target) => ({ ...target, shares: bytes(sequence[target.name]),
      spreads: target.spread ? bytes(sequence[`${target.name} sd`]) : null,
      regions: sequence[`${target.name} regions`] || [] }));
    sequence.labellings = ofClasses.map((target) => ({ ...target, runs: runsOf(sequence[target.name]) }));
    sequence.runs = runsOf(sequence.labels);
    sequence.known = sequence.observed ? runsOf(sequence.observed) : null;
  }
  return sequence;
}

const probability = (sequence, place, column) => sequence.values[place * classes.size + column] / 255;

function confidence(sequence, place) {
  let best = 0;
  for (let column = 0; column < classes.size; column++) best = Math.max(best, probability(sequence, place, column));
  return best;
}

function mix(sequence) {
  if (!sequence.counts) {
    sequence.counts = new Map();
    for (const letter of sequence.labels) sequence.counts.set(letter, (sequence.counts.get(letter) || 0) + 1);
  }
  return sequence.counts;
}

// ---- rows ---------------------------------------------------------------------------------

const shortName = (one) => (one.name.length > 14 ? one.letter : titleOf(one));

function layoutFor(width, tracks, sequence) {
  const narrow = width < 520;
  const least = narrow ? 10.5 : 13, gutter = narrow ? 30 : nameWidth;
  const perRow = Math.max(10, Math.floor((width - gutter - 4) / least / 10) * 10);
  const cell = Math.min(least * 1.3, (width - gutter - 4) / perRow);
  const drawn = [];
  let y = 16;
  const add = (kind, height, more) => { drawn.push({ kind, y, height, ...more }); y += height; };
  if (sequence.observed) { add("observed", RIBBON); y += 4; }
  if (labelled) { add("ribbon", RIBBON); y += 3; }
  for (const labelling of sequence.labellings) { add("labelling", RIBBON, { labelling }); y += 3; }
  add("letters", 20); y += 6;
  if (tracks) {
    const height = classes.size > 4 ? 11 : 17;
    for (const one of classes.values()) { add("class", height, { one }); y += 3; }
    for (const track of sequence.tracks) { add("value", labelled ? height : 40, { track }); y += 3; }
  }
  return { narrow, cell, gutter, perRow, drawn, height: y + (tracks ? 18 : 10), width: gutter + perRow * cell + 4,
    rows: Math.ceil(sequence.sequence.length / perRow) };
}

function rowContent(sequence, layout, row) {
  const { cell, gutter, perRow, narrow } = layout;
  const first = row * perRow, last = Math.min(first + perRow, sequence.sequence.length);
  const width = (last - first) * cell;
  const parts = [];
  const muted = 'class="muted" fill="var(--muted, #59636e)"';
  const name = (text, y) => `<text x="${gutter - 8}" y="${n(y)}" ${muted} font-size="${narrow ? 10 : 11}" text-anchor="end">${escaped(text)}</text>`;
  for (let tick = Math.ceil((first + 1) / 10) * 10; tick <= last; tick += 10) {
    parts.push(`<text x="${n(gutter + (tick - first - 0.5) * cell)}" y="10" ${muted} font-size="10" text-anchor="middle">${tick}</text>`);
  }
  if ((first + 1) % 10) parts.push(`<text x="${n(gutter + cell / 2)}" y="10" ${muted} font-size="10" text-anchor="middle">${first + 1}</text>`);
  for (const part of layout.drawn) {
    const middle = part.y + part.height / 2 + 4;
    if (part.kind === "labelling") {
      const { name: title, runs, known } = part.labelling;
      const drawing = runs.filter((run) => run.start < last && run.end > first)
        .map((run) => ribbon((known.get(run.letter) || UNKNOWN).ribbon, (run.start - first) * cell, run.end - run.start, cell));
      parts.push(`<svg x="${gutter}" y="${part.y}" width="${n(width)}" height="${RIBBON}" overflow="hidden">${drawing.join("")}</svg>`,
        name(narrow ? title.slice(0, 4) : title, middle));
    } else if (part.kind === "ribbon" || part.kind === "observed") {
      const drawing = (part.kind === "ribbon" ? sequence.runs : sequence.known)
        .filter((run) => run.start < last && run.end > first)
        .map((run) => ribbon(classOf(run.letter).ribbon, (run.start - first) * cell, run.end - run.start, cell));
      parts.push(`<svg x="${gutter}" y="${part.y}" width="${n(width)}" height="${RIBBON}" overflow="hidden">${drawing.join("")}</svg>`);
      if (sequence.observed) parts.push(name(part.kind === "ribbon" ? (narrow ? "pred" : "predicted") : (narrow ? "obs" : "observed"), middle));
    } else if (part.kind === "letters") {
      for (let place = first; place < last && labelled; place++) {
        const certain = (confidence(sequence, place) - 1 / classes.size) / (1 - 1 / classes.size);
        parts.push(`<rect x="${n((place - first) * cell + gutter)}" y="${part.y}" width="${n(cell + 0.1)}" height="${part.height}" fill="${classOf(sequence.labels[place]).colour}" fill-opacity="${n(4 * Math.max(0, certain)) / 10}"/>`);
      }
      const xs = Array.from({ length: last - first }, (_, i) => n(gutter + (i + 0.5) * cell)).join(" ");
      parts.push(`<text x="${xs}" y="${part.y + 15}" font-size="${narrow ? 12.5 : 14}" text-anchor="middle">${escaped(sequence.sequence.slice(first, last))}</text>`);
    } else {
      const colour = part.kind === "class" ? part.one.colour : "#8a929b";
      const value = part.kind === "class"
        ? (place) => probability(sequence, place, part.one.column) : (place) => part.track.shares[place] / 255;
      let path = `M${gutter} ${part.y + part.height}`;
      for (let place = first; place < last; place++) path += `V${n(part.y + part.height * (1 - value(place)))}H${n(gutter + (place - first + 1) * cell)}`;
      const bottom = part.y + part.height;
      if (part.track?.spreads) {
        // The 95 % interval, above and below.
        const edge = (sign) => (place) => Math.min(1, Math.max(0, (part.track.shares[place] + sign * 1.96 * part.track.spreads[place]) / 255));
        const high = edge(1), low = edge(-1);
        for (let place = first; place < last; place++) {
          const top = part.y + part.height * (1 - high(place));
          parts.push(`<rect x="${n(gutter + (place - first) * cell)}" y="${n(top)}" width="${n(cell)}" height="${n(part.height * (high(place) - low(place)))}" fill="${colour}" fill-opacity=".25"/>`);
        }
      }
      parts.push(`<path d="M${gutter} ${bottom}h${n(width)}" stroke="var(--line, #dfe3e8)"/>`,
        `<path d="${path}V${bottom}Z" fill="${colour}" fill-opacity=".85"/>`,
        ...(part.track?.regions || []).filter(([start, end]) => start < last && end > first)
          .map(([start, end]) => `<rect x="${n(gutter + (Math.max(start, first) - first) * cell)}" y="${n(bottom - 3)}" width="${n((Math.min(end, last) - Math.max(start, first)) * cell)}" height="3" fill="#D55E00"/>`),
        name(part.kind === "class" ? (narrow ? part.one.letter : shortName(part.one)) : (narrow ? part.track.name.slice(0, 4) : part.track.name), middle));
    }
  }
  if (state.chosen === sequence && state.marked && state.cursor >= first && state.cursor < last) {
    parts.push(`<rect class="cursor" x="${n((state.cursor - first) * cell + gutter)}" y="14" width="${n(cell)}" height="${layout.height - 28}" rx="2" fill="none" stroke="var(--accent)" stroke-width="1.5"/>`);
  }
  return parts.join("");
}

function drawRows() {
  const box = document.getElementById("rows");
  if (!box || !state.chosen) return;
  const layout = state.layout;
  const top = box.getBoundingClientRect().top;
  const from = Math.max(0, Math.floor(-top / layout.height) - 1);
  const to = Math.min(layout.rows, Math.ceil((innerHeight - top) / layout.height) + 1);
  const old = new Map([...box.children].map((row) => [Number(row.dataset.row), row]));
  for (const [row, element] of old) if (row < from || row >= to) element.remove();
  for (let row = from; row < to; row++) {
    if (old.has(row)) continue;
    const element = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    element.dataset.row = row;
    element.setAttribute("width", layout.width);
    element.setAttribute("height", layout.height);
    element.setAttribute("aria-hidden", "true");
    element.style.top = `${row * layout.height}px`;
    element.innerHTML = rowContent(state.chosen, layout, row);
    box.append(element);
  }
}

function redraw() {
  const box = document.getElementById("rows");
  if (!box || !state.chosen) return;
  state.layout = layoutFor(box.clientWidth, state.tracks, state.chosen);
  box.style.height = `${state.layout.rows * state.layout.height}px`;
  box.replaceChildren();
  drawRows();
}

// ---- the cursor ---------------------------------------------------------------------------

function say(sequence, place) {
  const shares = settings.classes.map((one) => `${one.letter} ${probability(sequence, place, classOf(one.letter).column).toFixed(2)}`);
  const values = sequence.tracks.map((track) =>
    ` · ${track.name} ${written(track, unitOf(track, place))}${track.spreads ? ` ± ${written(track, deviationOf(track, place))}` : ""}`).join("");
  const others = sequence.labellings.map(({ name, known }) => ` · ${name} ${(known.get(sequence[name][place]) || UNKNOWN).name}`).join("");
  const known = sequence.observed ? ` · observed ${classOf(sequence.observed[place]).name}` : "";
  const label = labelled ? ` ${escaped(classOf(sequence.labels[place]).name)} · ${escaped(shares.join("  "))}` : "";
  return `<b>${escaped(sequence.sequence[place])}${place + 1}</b>${label}${escaped(others)}${escaped(values)}${escaped(known)}`;
}

function moveTo(place, scroll) {
  const { chosen, layout } = state;
  const before = Math.floor(state.cursor / layout.perRow);
  state.cursor = Math.min(Math.max(place, 0), chosen.sequence.length - 1);
  state.marked = true;
  document.getElementById("status").innerHTML = say(chosen, state.cursor);
  const row = Math.floor(state.cursor / layout.perRow);
  const box = document.getElementById("rows");
  if (scroll) {
    const top = box.getBoundingClientRect().top + row * layout.height;
    if (top < 60 || top + layout.height > innerHeight) scrollBy(0, top - Math.max(60, (innerHeight - layout.height) / 2));
  }
  for (const element of [...box.children]) {
    if ([before, row].includes(Number(element.dataset.row))) element.remove();
  }
  drawRows();
}

function placeAt(event) {
  const { layout, chosen } = state;
  const box = document.getElementById("rows").getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / layout.height);
  const column = Math.floor((event.clientX - box.left - layout.gutter) / layout.cell);
  const place = row * layout.perRow + column;
  return column < 0 || column >= layout.perRow || place >= chosen.sequence.length || row < 0 ? null : place;
}

function onRowsKey(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: state.layout.perRow, ArrowUp: -state.layout.perRow };
  const ends = { Home: 0, End: state.chosen.sequence.length - 1 };
  if (event.key in steps) moveTo(state.cursor + (state.marked ? steps[event.key] : 0), true);
  else if (event.key in ends) moveTo(ends[event.key], true);
  else return;
  event.preventDefault();
}

// ---- copying and saving --------------------------------------------------------------------

function asText(sequence) {
  let text = `>${sequence.id}\n`;
  for (let first = 0; first < sequence.sequence.length; first += 60) {
    const last = Math.min(first + 60, sequence.sequence.length);
    let digits = "";
    for (let place = first; place < last; place++) digits += Math.min(9, Math.floor(10 * confidence(sequence, place)));
    const at = String(first + 1).padStart(6);
    if (!labelled) {
      const values = sequence.tracks[0];
      const cells = Array.from({ length: last - first }, (_, i) => written(values, unitOf(values, first + i)));
      text += `${at} ${sequence.sequence.slice(first, last)}\n${" ".repeat(7)}${cells.join(" ")}\n\n`;
      continue;
    }
    text += `${at} ${sequence.sequence.slice(first, last)}\n${" ".repeat(7)}${sequence.labels.slice(first, last)}\n${" ".repeat(7)}${digits}\n\n`;
  }
  return text;
}

function figure(sequence) {
  const layout = layoutFor(PAPER_WIDTH, state.tracks, sequence);
  const height = 34 + layout.rows * layout.height;
  const marked = state.marked;
  state.marked = false;
  const rows = Array.from({ length: layout.rows }, (_, row) =>
    `<g transform="translate(0 ${34 + row * layout.height})">${rowContent(sequence, layout, row)}</g>`);
  state.marked = marked;
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width + 12}" height="${height}" viewBox="-6 0 ${layout.width + 12} ${height}" ` +
    `font-family="Menlo, Consolas, 'DejaVu Sans Mono', monospace" fill="#1c2127"><rect x="-6" width="100%" height="100%" fill="#fff"/>` +
    `<text y="20" font-size="15" font-family="Helvetica, Arial, sans-serif" font-weight="600">${escaped(sequence.id)}</text>${rows.join("")}</svg>`;
  // Drawing programs do not support CSS variables.
  return { text: text.replace(/var\(--\w+, (#\w+)\)/g, "$1"), width: layout.width + 12, height };
}

function savePicture() {
  const { text, width, height } = figure(state.chosen);
  // Browsers limit the size of a canvas.
  const scale = Math.min(2, 16000 / height);
  if (scale < 0.5) {
    note("This sequence is too long for one PNG. Save it as SVG, or copy it as text.");
    return;
  }
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => (blob ? save(blob, state.chosen.id, "png") : note("The browser could not make the PNG. Save it as SVG.")), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

// ---- the selected sequence ----------------------------------------------------------------

function facts(sequence) {
  const size = sequence.sequence.length, counts = mix(sequence);
  const rows = [["Residues", whole(size)]];
  if (labelled) rows.push(["Mean confidence", sequence.confidence.toFixed(2)]);
  else for (const track of sequence.tracks) rows.push([`Mean ${track.name}`, written(track, meanOf(track))]);
  for (const letter of [...classes.keys(), "?"]) {
    const count = counts.get(letter);
    if (count) rows.push([classOf(letter).name, `${((100 * count) / size).toFixed(0)} %`]);
  }
  if (classes.get("H")?.shape === "helix") {
    const longest = Math.max(0, ...sequence.runs.filter((run) => run.letter === "H").map((run) => run.end - run.start));
    if (longest) rows.push(["Longest helix", `${longest}`]);
  }
  rows.push(...(sequence["more facts"] || []));
  if (sequence.observed) {
    const known = [...sequence.observed].map((letter, i) => [letter, sequence.labels[i]]).filter(([letter]) => classes.has(letter));
    const right = known.filter(([letter, label]) => letter === label).length;
    if (known.length) rows.push(["Right", `${((100 * right) / known.length).toFixed(0)} % of ${whole(known.length)} known`]);
  }
  return rows.map(([term, value]) => `<div><dt>${escaped(term)}</dt><dd>${escaped(value)}</dd></div>`).join("");
}

function choose(sequence, place) {
  state.chosen = opened(sequence);
  state.cursor = place || 0;
  state.marked = false;
  const detail = document.getElementById("detail");
  detail.innerHTML = `<h2></h2><dl class="facts">${facts(sequence)}</dl>
    <div class="tools">
      <form id="jump"><label>Position <input type="number" min="1" max="${sequence.sequence.length}" required></label><button>Go</button></form>
      <label><input type="checkbox" id="tracks"${state.tracks ? " checked" : ""}> ${labelled ? "Probabilities" : "Values"}</label>
      <span class="gap"></span>
      <button id="copy">Copy as text</button><button id="svg">Save SVG</button><button id="png">Save PNG</button>
    </div>
    <ul class="keys">${legend()}</ul>
    <p id="status" role="status">Point at a residue, or use the arrow keys.</p>
    <div id="rows" tabindex="0" role="img"></div>`;
  detail.querySelector("h2").textContent = sequence.id;
  const rows = document.getElementById("rows");
  rows.setAttribute("aria-label", `${sequence.id}, ${sequence.sequence.length} residues. Use the arrow keys to move along it.`);
  rows.addEventListener("keydown", onRowsKey);
  rows.addEventListener("pointermove", (event) => {
    const at = placeAt(event);
    if (at !== null && (at !== state.cursor || !state.marked)) moveTo(at, false);
  });
  rows.addEventListener("click", (event) => { const at = placeAt(event); if (at !== null) moveTo(at, false); });
  document.getElementById("jump").addEventListener("submit", (event) => {
    event.preventDefault();
    moveTo(Number(event.target.elements[0].value) - 1, true);
    rows.focus({ preventScroll: true });
  });
  document.getElementById("tracks").addEventListener("change", (event) => { state.tracks = event.target.checked; redraw(); });
  document.getElementById("copy").addEventListener("click", () =>
    copyText(asText(state.chosen), labelled ? "Copied: residues, labels, and confidence in tenths." : "Copied: residues and values."));
  document.getElementById("svg").addEventListener("click", () => save(new Blob([figure(state.chosen).text], { type: "image/svg+xml" }), state.chosen.id, "svg"));
  document.getElementById("png").addEventListener("click", savePicture);
  document.title = `${sequence.id} · grubio`;
  redraw();
  if (place) moveTo(place, true);
}

function legend() {
  const items = settings.classes.map((one) =>
    `<li><svg width="40" height="${RIBBON}" aria-hidden="true">${ribbon(one.ribbon, 1, 4, 9.5)}</svg>${escaped(titleOf(one))}</li>`);
  if (mix(state.chosen).has("?")) {
    items.push(`<li><svg width="40" height="${RIBBON}" aria-hidden="true">${ribbon(UNKNOWN.ribbon, 1, 4, 9.5)}</svg>no confident label</li>`);
  }
  for (const { name, classes: known } of ofClasses) {
    items.push(...known.map((one) =>
      `<li><svg width="40" height="${RIBBON}" aria-hidden="true">${ribbon(one.ribbon, 1, 4, 9.5)}</svg>${escaped(`${name}: ${titleOf(one)}`)}</li>`));
  }
  items.push(...state.chosen.tracks.map((track) =>
    `<li>${escaped(track.name)}: ${written(track, track.low)} to ${written(track, track.high)}${track.spreads ? ", pale: 95 % interval" : ""}</li>`));
  return `${items.join("")}${labelled ? '<li><span class="fade" aria-hidden="true"></span>low to high confidence</li>' : ""}`;
}

function describe(sequence) {
  if (!labelled) {
    const track = opened(sequence).tracks[0];
    return `<span>${whole(sequence.sequence.length)} residues · ${escaped(track.name)} ${written(track, meanOf(track))}</span>`;
  }
  const size = sequence.sequence.length, counts = mix(sequence);
  const bars = [...classes.values()].map((one) =>
    `<i style="width:${(100 * (counts.get(one.letter) || 0)) / size}%;background:${one.colour}"></i>`).join("");
  return `<span>${whole(size)} residues · ${sequence.confidence.toFixed(2)}</span><span class="mix" aria-hidden="true">${bars}</span>`;
}

function present(given, found) {
  take(given);
  takeTargets();
  sequences = found;
  const residues = sequences.reduce((sum, one) => sum + one.sequence.length, 0);
  document.getElementById("title").textContent = settings.title;
  document.getElementById("about").textContent =
    `${labelled ? settings.scheme : ofValues.map((one) => one.name).join(", ")} · ${whole(sequences.length)} ${sequences.length === 1 ? "sequence" : "sequences"}, ${whole(residues)} residues · grubio ${settings.version}${settings.model && ` · model ${settings.model}`}`;
  if (!sequences.length) {
    showEmpty("This file holds no sequences.");
    return;
  }
  finder = makeFinder({
    items: sequences, units: ["sequence", "sequences"], describe, choose,
    orders: [["as in the file", null], ["id", (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)],
      ["longest first", (a, b) => b.sequence.length - a.sequence.length],
      ...(labelled ? [["most confident first", (a, b) => b.confidence - a.confidence], ["least confident first", (a, b) => a.confidence - b.confidence]]
        : [["highest mean first", (a, b) => meanOf(opened(b).tracks[0]) - meanOf(opened(a).tracks[0])], ["lowest mean first", (a, b) => meanOf(opened(a).tracks[0]) - meanOf(opened(b).tracks[0])]])],
  });
  const find = (id) => sequences.find((one) => one.id === id);
  // An id may end like a position.
  const [, id, at] = find(linked()) ? [null, linked()] : /^(.*?)(?::(\d+))?$/.exec(linked()) || [];
  finder.select(find(id) || sequences[0], at ? Number(at) - 1 : 0);
}

let lastWidth = innerWidth;
addEventListener("scroll", drawRows, { passive: true });
addEventListener("resize", () => {
  finder?.draw();
  if (lastWidth === innerWidth) drawRows(); else redraw();
  lastWidth = innerWidth;
});
