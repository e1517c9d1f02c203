// Ribbons, arrows and lines of secondary structure, for the page of predictions and the report.
// They are those of grubio/view/shapes.py, in a row of RIBBON pixels.

const RIBBON = 24;
const TURN = 3.6; // residues of a turn of an alpha helix

const n = (value) => String(Math.floor(value * 10 + 0.5) / 10);

function ribbon(shape, colour, dark, start, end, cell) {
  const middle = RIBBON / 2;
  if (shape === null) {
    return `<path d="M${n(start)} ${n(middle)}H${n(end)}" fill="none" stroke="#8a929b" stroke-width="1.5" stroke-dasharray="1.5 3"/>`;
  }
  if (shape === "helix") {
    const [back, front] = helixPaths(start, end, cell);
    return `<path d="${back}" fill="${dark}"/><path d="${front}" fill="${colour}"/>`;
  }
  if (shape === "strand") return `<path d="${arrowPath(start, end, cell)}" fill="${colour}"/>`;
  if (shape === "box") {
    return `<rect x="${n(start + 0.5)}" y="4" width="${n(end - start - 1)}" height="${RIBBON - 8}" rx="3" fill="${colour}"/>`;
  }
  const line = {
    line: `M${n(start)} ${n(middle)}H${n(end)}`,
    turn: `M${n(start)} ${n(middle)}C${n(start)} 1 ${n(end)} 1 ${n(end)} ${n(middle)}`,
    bend: `M${n(start)} ${n(middle)}L${n((start + end) / 2)} 6L${n(end)} ${n(middle)}`,
  }[shape];
  return `<path d="${line}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>`;
}

function helixPaths(start, end, cell) {
  const thick = Math.min(1.5 * cell, (end - start) / 2);
  const turns = Math.max(1, Math.floor((end - start) / cell / TURN + 0.5));
  const width = (end - start - thick) / turns;
  const low = RIBBON - 2, high = 2;
  let back = "", front = "";
  for (let turn = 0; turn < turns; turn++) {
    const x = start + turn * width;
    front += band(x, low, x + width / 2, high, thick);
    back += band(x + width / 2, high, x + width, low, thick);
  }
  return [back, front];
}

function band(x0, y0, x1, y1, thick) {
  const m = (x0 + x1) / 2;
  return `M${n(x0)} ${y0}C${n(m)} ${y0} ${n(m)} ${y1} ${n(x1)} ${y1}H${n(x1 + thick)}` +
    `C${n(m + thick)} ${y1} ${n(m + thick)} ${y0} ${n(x0 + thick)} ${y0}Z`;
}

function arrowPath(start, end, cell) {
  const neck = Math.max(start, end - 1.7 * cell), middle = RIBBON / 2;
  return `M${n(start)} ${n(middle - 5)}H${n(neck)}V${n(middle - 10)}L${n(end)} ${n(middle)}` +
    `L${n(neck)} ${n(middle + 10)}V${n(middle + 5)}H${n(start)}Z`;
}
