// Labels from probabilities: posteriors.py, best_path.py and windows.py of grubio/sequences, and
// the called features of grubio/inference/called_features.py. A graph has the class of each state
// in `labels`, the states `before` and `after` each state, where a sequence may be `first` and
// `last`, and in `paths` whether a sequence of each length has a path, which repeats with `period`
// at its end.

const FLOOR = 1e-12, LEAST_COUPLED = 1e-9, FITTING_STEPS = 10, SCALED_EVERY = 8, IMPOSSIBLE = -1e6;

function hasPath({ paths, period }, length) {
  return length < paths.length ? paths[length] : paths[paths.length - period + ((length - paths.length) % period)];
}

// Where a sequence may begin and end; `open` is whether more of it lies before and after.
function endsOf(graph, length, open = [false, false]) {
  const anywhere = graph.labels.map(() => true);
  if (open[0] || open[1]) return [open[0] ? anywhere : graph.first, open[1] ? anywhere : graph.last];
  return hasPath(graph, length) ? [graph.first, graph.last] : [anywhere, anywhere];
}

const turnedGraph = (graph) => ({ ...graph, before: graph.after, after: graph.before, first: graph.last, last: graph.first });

// Lists of states in one array: those of state s are from starts[s] to starts[s + 1].
function flat(lists) {
  const starts = new Int32Array(lists.length + 1);
  lists.forEach((list, at) => { starts[at + 1] = starts[at] + list.length; });
  return { starts, states: Int32Array.from(lists.flat()) };
}

// Probabilities (residue, class) to those under a grammar.
function grammarPosteriors(probabilities, size, graph, transitions, open) {
  if (!transitions) return posteriors(probabilities, size, graph, null, open);
  const own = transitions.learned ? probabilities : coupled(probabilities, size, transitions.factors);
  return posteriors(own, size, graph, transitions.factors, open);
}

function coupled(probabilities, size, factors) {
  const own = Float64Array.from(probabilities, (one) => Math.max(one, LEAST_COUPLED));
  const length = own.length / size, scale = new Float64Array(own.length).fill(1);
  const before = new Float64Array(size), after = new Float64Array(size);
  for (let at = 0; at + 1 < length; at++) {
    const here = at * size, next = here + size;
    after.fill(1);
    for (let step = 0; step < FITTING_STEPS; step++) {
      for (let b = 0; b < size; b++) {
        let sum = 0;
        for (let a = 0; a < size; a++) sum += factors[b * size + a] * after[a];
        before[b] = own[here + b] / sum;
      }
      for (let a = 0; a < size; a++) {
        let sum = 0;
        for (let b = 0; b < size; b++) sum += factors[b * size + a] * before[b];
        after[a] = own[next + a] / sum;
      }
    }
    for (let k = 0; k < size; k++) {
      scale[here + k] *= before[k] / own[here + k];
      scale[next + k] *= after[k] / own[next + k];
    }
  }
  for (let at = 0; at < own.length; at += size) {
    let most = 0;
    for (let k = at; k < at + size; k++) most = Math.max(most, (own[k] *= scale[k]));
    for (let k = at; k < at + size; k++) own[k] /= most;
  }
  return own;
}

function posteriors(probabilities, size, graph, factors, open) {
  const length = probabilities.length / size, { labels } = graph, states = labels.length;
  const [first, last] = endsOf(graph, length, open);
  const before = flat(graph.before), after = flat(graph.after);
  const weight = (one, next) => (factors ? factors[labels[one] * size + labels[next]] : 1);
  const into = Float64Array.from(before.states), out = Float64Array.from(after.states);
  for (let state = 0; state < states; state++) {
    for (let e = before.starts[state]; e < before.starts[state + 1]; e++) into[e] = weight(before.states[e], state);
    for (let e = after.starts[state]; e < after.starts[state + 1]; e++) out[e] = weight(state, after.states[e]);
  }
  const joint = new Float64Array(length * states);
  const emitted = (at, state) => Math.max(probabilities[at * size + labels[state]], FLOOR);
  for (let state = 0; state < states; state++) joint[state] = first[state] ? emitted(0, state) : 0;
  for (let at = 1; at < length; at++) {
    const here = at * states, past = here - states;
    let most = 0;
    for (let state = 0; state < states; state++) {
      let sum = 0;
      for (let e = before.starts[state]; e < before.starts[state + 1]; e++) sum += joint[past + before.states[e]] * into[e];
      joint[here + state] = sum *= emitted(at, state);
      most = Math.max(most, sum);
    }
    if (at % SCALED_EVERY === 0) for (let state = 0; state < states; state++) joint[here + state] /= most;
  }
  const found = new Float32Array(probabilities.length), sums = new Float64Array(size);
  let here = Float64Array.from(last, Number), next = new Float64Array(states);
  for (let at = length - 1; at >= 0; at--) {
    if (at + 1 < length) {
      [here, next] = [next, here];
      for (let state = 0; state < states; state++) next[state] *= emitted(at + 1, state);
      for (let state = 0; state < states; state++) {
        let sum = 0;
        for (let e = after.starts[state]; e < after.starts[state + 1]; e++) sum += next[after.states[e]] * out[e];
        here[state] = sum;
      }
    }
    if (at % SCALED_EVERY === 0) {
      const most = Math.max(...here);
      for (let state = 0; state < states; state++) here[state] /= most;
    }
    sums.fill(0);
    for (let state = 0; state < states; state++) sums[labels[state]] += joint[at * states + state] * here[state];
    let total = 0;
    for (let k = 0; k < size; k++) total += sums[k];
    for (let k = 0; k < size; k++) found[at * size + k] = sums[k] / total;
  }
  return found;
}

// The classes of (residue, class): the most probable ones, or the best path through a grammar.
function bestClasses(probabilities, size, graph) {
  const length = probabilities.length / size, found = new Uint8Array(length);
  if (graph) return bestPath(probabilities, size, graph);
  for (let at = 0; at < length; at++) {
    let best = 0;
    for (let k = 1; k < size; k++) if (probabilities[at * size + k] > probabilities[at * size + best]) best = k;
    found[at] = best;
  }
  return found;
}

function endOfLeading(probabilities, size, label, least) {
  if (!(probabilities[label] >= Math.fround(least))) return 0;
  let end = 0, most = 0;
  for (let at = 0; at * size < probabilities.length; at++) {
    const fall = Math.fround(probabilities[at * size + label] - (probabilities[(at + 1) * size + label] || 0));
    if (fall > most) [end, most] = [at + 1, fall];
  }
  return end;
}

function reaches(probabilities, size, label, least) {
  for (let at = label; at < probabilities.length; at += size) if (probabilities[at] >= Math.fround(least)) return true;
  return false;
}

function bestPath(probabilities, size, graph) {
  const length = probabilities.length / size, { labels } = graph, states = labels.length;
  const [first, last] = endsOf(graph, length), before = flat(graph.before);
  // Where the classes that lead a sequence end: where that is most probable; 0 if there is none. Others
  // are absent that are nowhere probable enough.
  const ends = [], absent = new Set();
  for (const [label, least, leads] of graph.present) {
    if (leads) ends.push([label, endOfLeading(probabilities, size, label, least)]);
    else if (!reaches(probabilities, size, label, least)) absent.add(label);
  }
  const allowed = (at, label) => !absent.has(label) && ends.every(([leading, end]) => (leading === label) === (at < end));
  const gain = (at, state) => (allowed(at, labels[state]) && probabilities[at * size + labels[state]]) || IMPOSSIBLE;
  // The edge by which each state was reached, counted among the edges into it.
  const ranks = new Uint16Array(length * states);
  let totals = Float64Array.from(labels, (_, state) => (first[state] ? gain(0, state) : -Infinity)), next = new Float64Array(states);
  for (let at = 1; at < length; at++) {
    for (let state = 0; state < states; state++) {
      let best = -Infinity, rank = 0;
      for (let e = before.starts[state]; e < before.starts[state + 1]; e++) {
        const total = totals[before.states[e]];
        if (total > best) [best, rank] = [total, e - before.starts[state]];
      }
      next[state] = best + gain(at, state);
      ranks[at * states + state] = rank;
    }
    [totals, next] = [next, totals];
  }
  let state = 0, best = -Infinity;
  totals.forEach((total, at) => { if (last[at] && total > best) [best, state] = [total, at]; });
  const found = new Uint8Array(length);
  for (let at = length - 1; at >= 0; at--) {
    found[at] = labels[state];
    if (at) state = before.states[before.starts[state] + ranks[at * states + state]];
  }
  return found;
}

const lettersOf = (classes, letters) => Array.from(classes, (one) => letters[one]).join("");

// Probabilities summed into the classes of a coarser scheme; `to` is the class of each fine one.
function reduced(probabilities, to, size) {
  const fine = to.length, found = new Float32Array((probabilities.length / fine) * size);
  for (let at = 0, out = 0; at < probabilities.length; at += fine, out += size) {
    for (let k = 0; k < fine; k++) found[out + to[k]] += probabilities[at + k];
  }
  return found;
}

// ---- genomes ------------------------------------------------------------------------------

const COMPLEMENT = { A: "T", C: "G", G: "C", T: "A", R: "Y", Y: "R", K: "M", M: "K", B: "V", V: "B", D: "H", H: "D", U: "A" };

function complementOf(letter) {
  const upper = letter.toUpperCase(), other = COMPLEMENT[upper] || upper;
  return letter === upper ? other : other.toLowerCase();
}

function reverseComplement(text) {
  const found = new Array(text.length);
  for (let at = 0; at < text.length; at++) found[text.length - 1 - at] = complementOf(text[at]);
  return found.join("");
}

function windowsOf(length, core, overlap) {
  let number = length <= core + 2 * overlap ? 1 : Math.ceil(length / core);
  if (number % 2 === 0 && length % 2) number += 1;
  const border = (at) => (at > Math.floor(number / 2) ? length - border(number - at) : Math.floor((at * length) / number));
  const found = [];
  for (let at = 1, first = 0; at <= number; at++) {
    const last = border(at);
    if (first < last) found.push({ start: Math.max(first - overlap, 0), end: Math.min(last + overlap, length), first, last });
    first = last;
  }
  return found;
}

// Which bases lie in runs of at least `least` N.
function gapMask(text, least) {
  const mask = new Uint8Array(text.length);
  for (const run of text.matchAll(new RegExp(`[Nn]{${least},}`, "g"))) mask.fill(1, run.index, run.index + run[0].length);
  return mask;
}

function sitesOf(probability, size, column, site, strand, threshold) {
  const { width, radius } = site, length = probability.length / size, count = length - width + 1;
  // A strand is read in its own direction: of equal scores its first one counts.
  const scores = new Float64Array(Math.max(count, 0));
  for (let at = 0; at < count; at++) {
    const start = strand === "+" ? at : count - 1 - at;
    let sum = 0;
    for (let base = start; base < start + width; base++) sum += probability[base * size + column];
    scores[at] = sum / width;
  }
  const found = [];
  for (let at = 0; at < count; at++) {
    const score = scores[at];
    if (score < threshold) continue;
    let best = true;
    for (let other = 1; best && other <= radius; other++) {
      if (at >= other && scores[at - other] >= score) best = false;
      if (at + other < count && scores[at + other] > score) best = false;
    }
    if (best) found.push({ start: strand === "+" ? at : count - 1 - at, score });
  }
  return found.map(({ start, score }) => ({ start, end: start + width, score }));
}

function segmentsOf(classes, probability, size, wanted, minScore, minLength) {
  const found = [];
  for (let first = 0, last = 0; first < classes.length; first = last) {
    const column = classes[first];
    let sum = 0;
    while (last < classes.length && classes[last] === column) sum += probability[last++ * size + column];
    const score = sum / (last - first);
    if (wanted[column] && last - first >= minLength && score >= minScore) found.push({ start: first, end: last, column, score });
  }
  return found;
}

// The features of a contig, by start, end, strand and class. Classes and probabilities are by strand.
function calledFeatures(scheme, sites, classes, probabilities, { minScore, minSegment, minContig }) {
  const length = Object.values(classes)[0].length, size = scheme.letters.length, found = [];
  const wanted = [...scheme.letters].map((letter) => !(letter in sites) && letter !== scheme.background);
  for (const strand of Object.keys(probabilities)) {
    for (const [letter, site] of length < minContig ? [] : Object.entries(sites)) {
      const column = scheme.letters.indexOf(letter);
      const threshold = minScore === null ? site.threshold : minScore;
      found.push(...sitesOf(probabilities[strand], size, column, site, strand, threshold).map((one) => ({ ...one, column, strand })));
    }
    if (wanted.some(Boolean)) {
      found.push(...segmentsOf(classes[strand], probabilities[strand], size, wanted, minScore || 0, minSegment).map((one) => ({ ...one, strand })));
    }
  }
  const way = (one) => (one.strand === "+" ? 0 : 1);
  return found.sort((a, b) => a.start - b.start || a.end - b.end || way(a) - way(b) || a.column - b.column);
}
