// Segments of secondary structure in a row of RIBBON pixels: the templates of shapes.py, put in place as
// by its function `place`.

const RIBBON = 24;

const n = (value) => String(Math.floor(value * 10 + 0.5) / 10);

function ribbon({ svg, turns_per_residue, tail, most_tail }, start, length, cell) {
  const end = Math.min(tail, most_tail * length);
  const turns = Math.max(1, Math.floor(turns_per_residue * length + 0.5));
  const width = (length - end) / turns;
  const x = (turn, [a, b = 0, c = 0]) => n(start + cell * ((turn + a) * width + b * end) + c);
  const marks = /\{(.+?)\}/g;
  return Array.from({ length: turns }, (_, turn) => svg.replace(marks, (_, mark) => x(turn, mark.split(",").map(Number)))).join("");
}

// Runs of equal letters.
function runsOf(text) {
  const runs = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    while (end < text.length && text[end] === text[start]) end += 1;
    runs.push({ letter: text[start], start, end });
  }
  return runs;
}
