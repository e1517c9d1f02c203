// Drawings of test chains, explored residue by residue with a pointer or the arrow keys. The page has
// the data of each chain as
//   {id, note, residues, observed, fine, coarse, p}
// with one letter per residue, the predicted classes in both schemes, and in p the probabilities of
// the fine classes, residue by residue, as bytes of 1/255 in base64.

const CHAINS = JSON.parse(document.getElementById("chain-data").textContent);
const ROWS = { ruler: 13, label: 10, ribbon: RIBBON, letters: 17, error: 5, bars: 16, gap: 16 };
const LEFT = 40; // room for the names of the rows

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function html(name, className, ...content) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

// Returns a chain in the classes of a scheme: labels, segments, errors, and a function that gives the
// probabilities of a residue.
function chainIn(scheme, chain) {
  const fine = CHAINS.schemes.at(-1);
  const bytes = atob(chain.p);
  const isFine = scheme === fine;
  const target = [...fine.letters].map((letter, k) =>
    isFine ? k : scheme.letters.indexOf(fine.coarse[k]),
  );
  const probabilities = (at) => {
    const sums = new Array(scheme.letters.length).fill(0);
    target.forEach((to, k) => (sums[to] += bytes.charCodeAt(at * target.length + k) / 255));
    return sums;
  };
  const reduce = (letter) => fine.coarse[fine.letters.indexOf(letter)] ?? letter;
  const observed = isFine ? chain.observed : [...chain.observed].map(reduce).join("");
  const predicted = isFine ? chain.fine : chain.coarse;
  const marks = [...predicted].map((letter, at) =>
    scheme.letters.includes(observed[at]) && letter !== observed[at] ? "x" : ".");
  const known = (run) => scheme.letters.includes(run.letter);
  const runs = {
    observed: runsOf(observed).filter(known),
    predicted: runsOf(predicted).filter(known),
    errors: runsOf(marks).filter((run) => run.letter === "x"),
  };
  return { observed, predicted, runs, probabilities };
}

class Drawing {
  constructor(article) {
    this.article = article;
    this.article.querySelector(".chain")?.remove();
    this.article.querySelector(".beyond")?.remove();
    this.box = html("div", "drawing");
    this.tip = html("div", "tip");
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true"); // the slider says the same
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "slider");
    article.append(this.box);
    this.show(CHAINS.chains[article.dataset.chain]);
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    this.box.addEventListener("focus", () => this.box.matches(":focus-visible") && this.moveTo(this.at));
    this.box.addEventListener("blur", () => this.leave());
    this.box.addEventListener("pointermove", (event) => this.onPointer(event));
    this.box.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.box.addEventListener("pointerleave", () => this.leave());
    new ResizeObserver(() => this.box.clientWidth !== this.width && this.draw()).observe(this.box);
  }

  show(chain) {
    this.chain = chain;
    this.at = 0;
    this.box.setAttribute("aria-label", `Residues of ${chain.id}`);
    this.box.setAttribute("aria-valuemin", 1);
    this.box.setAttribute("aria-valuemax", chain.residues.length);
    const title = this.article.querySelector("h4");
    title.replaceChildren(html("code", "", chain.id), ": ", html("span", "", chain.note));
    this.draw();
  }

  draw() {
    const name = chosenScheme();
    this.scheme = CHAINS.schemes.find((scheme) => scheme.name === name) ?? CHAINS.schemes[0];
    this.view = chainIn(this.scheme, this.chain);
    this.width = this.box.clientWidth;
    if (!this.width) return; // not laid out yet: the ResizeObserver will call again
    const room = this.width - LEFT - 2;
    this.perLine = Math.max(10, 10 * Math.floor(room / (room > 500 ? 130 : 100)));
    this.cell = room / this.perLine;
    const coded = this.scheme !== CHAINS.schemes[0] || this.scheme.shapes.includes("box");
    this.label = coded ? ROWS.label : 0; // classes that share a shape are labelled with their letters
    this.lineHeight =
      ROWS.ruler + ROWS.letters + 2 * (ROWS.ribbon + this.label) + ROWS.error + ROWS.bars + ROWS.gap;
    const length = this.chain.residues.length;
    const lines = Math.ceil(length / this.perLine);
    this.canvas = svg("svg", { viewBox: `0 0 ${this.width} ${lines * this.lineHeight}`, "aria-hidden": true });
    this.cursor = svg("rect", { class: "cursor", width: this.cell, height: this.lineHeight - ROWS.gap + 4, rx: 3 });
    this.cursor.style.display = "none";
    this.canvas.append(this.cursor);
    for (let line = 0; line < lines; line += 1) {
      const from = line * this.perLine;
      this.drawLine(from, Math.min(length, from + this.perLine), line * this.lineHeight);
    }
    this.box.replaceChildren(this.canvas, this.tip);
    this.say();
  }

  drawLine(from, to, top) {
    const { cell, canvas, view } = this;
    const x = (at) => LEFT + (at - from) * cell;
    const text = (name, y, content, rest = {}) => canvas.append(svg("text", { class: name, y, ...rest }, content));
    for (let at = from; at < to; at += 10) text("at", top + 9, at + 1, { x: x(at) });
    let y = top + ROWS.ruler;
    y = this.drawRibbons(view.runs.observed, from, to, y, "obs");
    const places = Array.from({ length: to - from }, (_, k) => (x(from + k) + cell / 2).toFixed(2));
    text("letters", y + 13, this.chain.residues.slice(from, to), { x: places.join(" ") });
    text("name", y + 13, "seq", { x: LEFT - 6 });
    y = this.drawRibbons(view.runs.predicted, from, to, y + ROWS.letters, "pred");
    for (const run of view.runs.errors.filter((run) => run.start < to && run.end > from)) {
      const [start, end] = [Math.max(run.start, from), Math.min(run.end, to)];
      canvas.append(svg("rect", { class: "error", x: x(start) + 0.5, y, width: (end - start) * cell - 1, height: 3 }));
    }
    y += ROWS.error + ROWS.bars;
    let bars = "";
    for (let at = from; at < to; at += 1) {
      const height = (Math.max(...view.probabilities(at)) * (ROWS.bars - 2)).toFixed(1);
      bars += `M${(x(at) + 0.1 * cell).toFixed(2)} ${y}v-${height}h${(0.8 * cell).toFixed(2)}v${height}z`;
    }
    canvas.append(svg("path", { class: "bars-of", d: bars }));
    text("name", y - 2, "conf", { x: LEFT - 6 });
  }

  // Draws the classes of one line and returns the bottom of the row. A segment that continues on the
  // next line is drawn in full and clipped, so that its turns continue there.
  drawRibbons(runs, from, to, top, name) {
    const { cell, scheme } = this;
    const y = top + this.label;
    this.canvas.append(svg("text", { class: "name", x: LEFT - 6, y: y + ROWS.ribbon / 2 + 4 }, name));
    const inside = runs.filter((run) => run.start < to && run.end > from);
    const row = svg("svg", { class: "ribbons", x: LEFT, y, width: (to - from) * cell, height: ROWS.ribbon, overflow: "hidden" });
    row.innerHTML = inside.map((run) => {
      const drawing = scheme.ribbons[scheme.letters.indexOf(run.letter)];
      return ribbon(drawing, (run.start - from) * cell, run.end - run.start, cell);
    }).join("");
    this.canvas.append(row);
    for (const run of this.label ? inside : []) {
      const middle = (Math.max(run.start, from) + Math.min(run.end, to)) / 2 - from;
      this.canvas.append(svg("text", { class: "class", x: LEFT + middle * cell, y: top + 8 }, run.letter));
    }
    return y + ROWS.ribbon;
  }

  onKey(event) {
    const last = this.chain.residues.length - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.perLine, ArrowDown: this.perLine };
    const ends = { Home: -last, End: last, PageUp: -10 * this.perLine, PageDown: 10 * this.perLine };
    const step = steps[event.key] ?? ends[event.key];
    if (event.key === "Escape") this.leave();
    if (step === undefined) return;
    event.preventDefault();
    this.moveTo(Math.min(last, Math.max(0, this.at + step)));
  }

  onPointer(event) {
    const frame = this.canvas.getBoundingClientRect();
    const scale = this.width / frame.width;
    const column = Math.floor(((event.clientX - frame.left) * scale - LEFT) / this.cell);
    const line = Math.floor(((event.clientY - frame.top) * scale) / this.lineHeight);
    const at = line * this.perLine + column;
    const inside = column >= 0 && column < this.perLine && at >= 0 && at < this.chain.residues.length;
    if (inside) this.moveTo(at);
    else this.leave();
  }

  leave() {
    this.tip.hidden = true;
    this.cursor.style.display = "none";
  }

  moveTo(at) {
    this.at = at;
    const x = LEFT + (at % this.perLine) * this.cell;
    const y = Math.floor(at / this.perLine) * this.lineHeight;
    this.cursor.setAttribute("x", x);
    this.cursor.setAttribute("y", y);
    this.cursor.style.display = "";
    this.say();
    this.tip.replaceChildren(...this.details());
    this.tip.hidden = false;
    const { offsetWidth, offsetHeight } = this.tip;
    const furthest = this.box.clientWidth - offsetWidth;
    const below = y + this.lineHeight - ROWS.gap + 6;
    const top = this.box.getBoundingClientRect().top;
    const fits = top + below + offsetHeight < window.innerHeight || top + y < offsetHeight + 60;
    this.tip.style.left = `${Math.max(0, Math.min(furthest, x - offsetWidth / 2))}px`;
    this.tip.style.top = `${fits ? below : y - offsetHeight - 4}px`;
  }

  nameOf(letter) {
    return this.scheme.names[this.scheme.letters.indexOf(letter)] ?? "not known";
  }

  // Updates the text for screen readers.
  say() {
    const { observed, predicted, probabilities } = this.view;
    const sure = Math.round(100 * Math.max(...probabilities(this.at)));
    this.box.setAttribute("aria-valuenow", this.at + 1);
    this.box.setAttribute(
      "aria-valuetext",
      `${this.chain.residues[this.at]} ${this.at + 1}: observed ${this.nameOf(observed[this.at])}, ` +
        `predicted ${this.nameOf(predicted[this.at])}, confidence ${sure} %`,
    );
  }

  details() {
    const { observed, predicted, probabilities } = this.view;
    const bars = html("div", "probabilities");
    probabilities(this.at).forEach((p, k) => {
      const key = html("span", "key", this.scheme.letters[k]);
      key.style.background = this.scheme.colours[k];
      key.style.color = this.scheme.inks[k];
      const bar = html("span", "track", html("i"));
      bar.firstChild.style.width = `${100 * p}%`;
      bars.append(key, bar, html("span", "n", `${Math.round(100 * p)} %`));
    });
    const sure = Math.round(100 * Math.max(...probabilities(this.at)));
    return [
      html("b", "", `${this.chain.residues[this.at]} ${this.at + 1}`),
      html("span", "", `observed ${this.nameOf(observed[this.at])}`),
      html("span", "", `predicted ${this.nameOf(predicted[this.at])}, confidence ${sure} %`),
      bars,
    ];
  }
}

const drawings = [...document.querySelectorAll("article[data-chain]")].map((a) => new Drawing(a));
for (const input of document.querySelectorAll("input[name=scheme]")) {
  input.addEventListener("change", () => drawings.forEach((drawing) => drawing.draw()));
}
