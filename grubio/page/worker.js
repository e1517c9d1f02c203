// The worker: it gets the model once and then texts to label, and answers batch by batch. It is
// stopped from outside, by ending it.

const BATCH_RESIDUES = 6000, BATCH_SEQUENCES = 32, BATCH_WINDOWS = 4;
let network = null, model = null, codeOf = null;

function coded(text) {
  const codes = new Uint8Array(text.length);
  for (let at = 0; at < codes.length; at++) codes[at] = codeOf[text.charCodeAt(at)];
  return codes;
}

// Answers of sequences, in units, under the grammar: for each one {target: Float32Array}.
function answers(texts, open = []) {
  const main = model.targets[0];
  return network.outputs(texts.map(coded)).map((outputs, at) => {
    const found = {};
    for (const target of model.targets) found[target.name] = inUnits(target, outputs[target.name]);
    if (main.classes && model.schemes[0].graph) {
      found[main.name] = grammarPosteriors(found[main.name], main.size, model.schemes[0].graph, main.transitions, open[at]);
    }
    return found;
  });
}

function batches(records) {
  const order = records.map((_, at) => at).sort((a, b) => records[a].length - records[b].length || a - b);
  const found = [];
  let batch = [];
  for (const at of order) {
    if (batch.length && ((batch.length + 1) * records[at].length > BATCH_RESIDUES || batch.length === BATCH_SEQUENCES)) {
      found.push(batch);
      batch = [];
    }
    batch.push(at);
  }
  return batch.length ? [...found, batch] : found;
}

function labelSequences(texts) {
  const main = model.targets[0];
  for (const batch of batches(texts)) {
    const found = answers(batch.map((at) => texts[at])).map((answer, number) => {
      const labels = model.schemes.map((scheme) => {
        if (!main.classes) return "";
        const shares = scheme.to ? reduced(answer[main.name], scheme.to, scheme.letters.length) : answer[main.name];
        return lettersOf(bestClasses(shares, scheme.letters.length, scheme.graph), scheme.letters);
      });
      return { place: batch[number], answer, labels };
    });
    postMessage({ found, residues: batch.reduce((sum, at) => sum + texts[at].length, 0) },
      found.flatMap(({ answer }) => Object.values(answer).map((one) => one.buffer)));
  }
}

function labelContig(text, place, settings) {
  const [scheme] = model.schemes, size = scheme.letters.length, main = model.targets[0].name;
  const gaps = scheme.background === null ? new Uint8Array(text.length) : gapMask(text, model.windows.gap);
  const probabilities = {};
  for (const strand of settings.strands) probabilities[strand] = new Float32Array(text.length * size);
  const background = scheme.letters.indexOf(scheme.background);
  const all = windowsOf(text.length, model.windows.core, model.windows.overlap);
  for (let first = 0; first < all.length; first += BATCH_WINDOWS) {
    const batch = all.slice(first, first + BATCH_WINDOWS);
    const jobs = batch.filter((one) => gaps.subarray(one.first, one.last).includes(0))
      .flatMap((one) => settings.strands.map((strand) => ({ ...one, strand })));
    const texts = jobs.map((job) => (job.strand === "+" ? text.slice(job.start, job.end) : reverseComplement(text.slice(job.start, job.end))));
    const open = jobs.map((job) => (job.strand === "+" ? [job.start > 0, job.end < text.length] : [job.end < text.length, job.start > 0]));
    const found = jobs.length ? answers(texts, open) : [];
    jobs.forEach((job, number) => {
      const whole = found[number][main], to = probabilities[job.strand];
      for (let base = job.first; base < job.last; base++) {
        const from = (job.strand === "+" ? base - job.start : job.end - 1 - base) * size;
        to.set(whole.subarray(from, from + size), base * size);
      }
    });
    postMessage({ residues: batch.reduce((sum, one) => sum + one.last - one.first, 0) });
  }
  const classes = {};
  for (const strand of settings.strands) {
    const rows = probabilities[strand];
    gaps.forEach((gap, base) => {
      if (gap) for (let k = 0; k < size; k++) rows[base * size + k] = Number(k === background);
    });
    // Thresholds of whole sequences do not count on contigs.
    const graph = scheme.graph && { ...(strand === "+" ? scheme.graph : turnedGraph(scheme.graph)), present: [] };
    classes[strand] = bestClasses(rows, size, graph);
  }
  const features = calledFeatures(scheme, model.sites, classes, probabilities, settings);
  postMessage({ contig: { place, probabilities, classes, features } },
    settings.strands.flatMap((strand) => [probabilities[strand].buffer, classes[strand].buffer]));
}

async function begin({ settings, weights, kernel }) {
  model = settings;
  codeOf = new Uint8Array(65536).fill(model.pad);
  [...model.alphabet.codes].forEach((letter, code) => {
    for (const one of [letter, letter.toLowerCase()]) codeOf[one.charCodeAt(0)] = code;
  });
  network = new Network(model, unpacked(weights), await WebAssembly.compile(unpacked(kernel)));
}

function label({ texts, settings }) {
  if (model.kind === "genome") texts.forEach((text, place) => labelContig(text, place, settings));
  else labelSequences(texts);
  postMessage({ done: true });
}

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  let ready = null;
  onmessage = async ({ data }) => {
    try {
      if (data.begin) ready = begin(data.begin);
      await ready;
      if (data.label) label(data.label);
    } catch (error) {
      postMessage({ error: String((error && error.message) || error) });
    }
  };
}
