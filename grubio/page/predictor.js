// The page itself: input, the worker, progress, results and downloads. The results are drawn by the
// scripts of the pages of predictions (grubio/view/).

const model = JSON.parse(document.getElementById("settings").textContent);
const genome = model.kind === "genome";
const element = (id) => document.getElementById(id);
const content = (id) => element(id).textContent;
const unit = genome ? ["contig", "contigs"] : ["sequence", "sequences"];
const counted = (count) => `${whole(count)} ${unit[count === 1 ? 0 : 1]}`;
const page = { file: null, worker: null, results: [], insist: false, url: null };

// ---- options ------------------------------------------------------------------------------

function option(name) {
  const field = element(`option-${name}`);
  if (!field) return model.defaults[name];
  if (field.type !== "number") return field.value;
  return field.value === "" ? model.defaults[name] : Number(field.value);
}

function settingsNow() {
  return { onInvalid: option("onInvalid"), regionThreshold: option("regionThreshold"), minRegion: option("minRegion"), minConfidence: option("minConfidence"), minSegment: option("minSegment"), maxGap: option("maxGap"),
    minScore: option("minScore"), minContig: option("minContig"), strands: option("strand") === "both" ? ["+", "-"] : [option("strand")] };
}

const schemeNow = () => model.schemes[Number(element("option-scheme")?.value ?? model.schemes.length - 1)];

// ---- results ------------------------------------------------------------------------------

// A labelled sequence: what the formats write, and the line of data that is drawn.
class Labelled {
  constructor(record, { answer, labels }) {
    Object.assign(this, { id: record.id, sequence: record.sequence, answer, allLabels: labels });
  }

  in(scheme, settings) {
    this.scheme = scheme;
    this.values = null;
    this.counts = null;
    this.labels = this.allLabels[model.schemes.indexOf(scheme)];
    if (!scheme.letters) return this;
    const sure = this.confidences();
    this.confidence = sure.reduce((sum, one) => sum + one, 0) / sure.length;
    if (settings.minConfidence > 0) {
      this.labels = Array.from(this.labels, (letter, at) => (sure[at] < Math.fround(settings.minConfidence) ? "?" : letter)).join("");
    }
    return this;
  }

  shares() {
    const own = this.answer[model.targets[0].name];
    return this.scheme.to ? reduced(own, this.scheme.to, this.scheme.letters.length) : own;
  }

  // The probability of each label; of ? the highest one.
  confidences() {
    const { letters } = this.scheme, size = letters.length, shares = this.shares(), found = new Float32Array(this.labels.length);
    for (let at = 0; at < found.length; at++) {
      const k = letters.indexOf(this.labels[at]), first = at * size;
      found[at] = k < 0 ? Math.max(...shares.subarray(first, first + size)) : shares[first + k];
    }
    return found;
  }

  line() {
    const found = { probabilities: this.scheme.letters ? bytesOf(this.shares(), 0, 1) : "" };
    for (const target of this.scheme.about.targets) {
      const own = this.answer[target.name];
      if (target.classes) found[target.name] = labelsOf(this, model.targets.find((one) => one.name === target.name));
      else if (target.spread) {
        found[target.name] = bytesOf(own.filter((_, at) => at % 2 === 0), target.low, target.high);
        found[`${target.name} sd`] = bytesOf(own.filter((_, at) => at % 2), 0, target.high - target.low);
      } else found[target.name] = bytesOf(own, target.low, target.high);
    }
    return { ...found, ...this.called(settingsNow()) };
  }

  called(settings) {
    const found = {}, facts = [], topology = topologyIn(this, model, this.scheme), all = regionsOf(this, model, settings);
    for (const region of all) (found[`${region.target} regions`] ??= []).push([region.start - 1, region.end]);
    if (topology) facts.push(...topologyFacts(topology));
    for (const target of model.targets.filter((one) => !one.classes)) {
      const called = calledRegions(target, settings), own = all.filter((one) => one.target === target.name);
      const residues = own.reduce((sum, one) => sum + one.end - one.start + 1, 0);
      if (called) facts.push([called.name[0].toUpperCase() + called.name.slice(1), `${residues} in ${own.length} regions`]);
    }
    return facts.length ? { ...found, "more facts": facts } : found;
  }
}

function bytesOf(values, low, high) {
  let text = "";
  for (const value of values) text += String.fromCharCode(Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low)))));
  return btoa(text);
}

function linesOf(contig) {
  const { letters } = model.schemes[0];
  return [{ contig: contig.id, length: contig.sequence.length },
    ...contig.features.map((one) => [letters[one.column], one.start + 1, one.end, one.strand, round4(one.score)])];
}

function showResults(remarks) {
  const scheme = schemeNow(), settings = settingsNow(), items = page.results.filter(Boolean);
  element("results").hidden = !items.length;
  element("remarks").textContent = remarks;
  if (!items.length) return;
  element("finder").hidden = false;
  if (genome) present(scheme.about, items.flatMap(linesOf));
  else present(scheme.about, items.map((item) => item.in(scheme, settings)));
  document.title = `${model.name} · grubio`;
  const formats = Object.entries(genome ? GENOME_FORMATS : SEQUENCE_FORMATS)
    .filter(([, one]) => scheme.letters || !one.labels || (one.regions && model.targets.some((target) => target.regions)));
  element("downloads").replaceChildren(...formats.map(([ending, one]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = one.name;
    button.addEventListener("click", () => download(button, ending, one.pieces(items, model, scheme, settings)));
    return button;
  }));
}

async function download(button, ending, pieces) {
  const parts = [];
  button.disabled = true;
  try {
    let began = performance.now();
    for (const piece of pieces) {
      parts.push(piece);
      if (performance.now() - began > 40) {
        await new Promise((resolve) => setTimeout(resolve));
        began = performance.now();
      }
    }
    save(new Blob(parts, { type: ending === "json" ? "application/json" : "text/plain" }), page.name, ending);
  } catch (error) {
    note(`This file could not be made: ${error.message}`);
  }
  button.disabled = false;
}

// ---- labelling ----------------------------------------------------------------------------

function newWorker() {
  page.url ??= URL.createObjectURL(new Blob([content("engine"), content("decoding"), content("worker")], { type: "text/javascript" }));
  const worker = new Worker(page.url);
  worker.postMessage({ begin: { settings: model, weights: content("weights"), kernel: content("kernel") } });
  return worker;
}

async function inputText() {
  if (!page.file) return [element("text").value, undefined];
  const bytes = new Uint8Array(await page.file.arrayBuffer()), { name } = page.file;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return [await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text(), name];
    } catch {
      throw new InputError("cannot be unpacked here", { path: name, hint: "unpack it first: gunzip" });
    }
  }
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(mark, { fatal: true }).decode(bytes);
    if (text.includes("\0")) throw new InputError("is a binary file", { path: name, hint: "give FASTA" });
    return [text, name];
  } catch (error) {
    throw error instanceof InputError ? error : new InputError("is not UTF-8 text", { path: name, hint: "save the file as UTF-8" });
  }
}

async function readInput() {
  const [text, path] = await inputText();
  if (!text.trim()) throw new InputError("There is nothing to label yet.", { hint: "Paste FASTA, drop or open a file, or use the example." });
  const records = readFasta(text, path);
  if (!page.insist) refuseOtherAlphabet(records, model.alphabet, path);
  const checked = checkedRecords(records, model.alphabet, settingsNow().onInvalid, path);
  page.name = (path || "").replace(/\.gz$/, "").replace(/\.[^.]*$/, "") || (records.length === 1 ? records[0].id : model.name);
  return checked;
}

function showProblem(error) {
  const box = element("problem"), [problem, hint] = box.querySelectorAll("p");
  box.hidden = !error;
  if (!error) return;
  problem.textContent = error.message;
  hint.textContent = error.hint ? error.hint[0].toUpperCase() + error.hint.slice(1) : "";
  element("insist").hidden = !error.insist;
}

function busy(yes) {
  element("progress").hidden = !yes;
  element("run").disabled = yes;
  element("input").setAttribute("aria-busy", yes);
}

function duration(seconds) {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}

function showProgress(progress) {
  const share = progress.done / progress.total, seconds = (performance.now() - progress.began) / 1000;
  element("bar").value = share;
  const labelled_ = page.results.filter(Boolean).length;
  const left = share > 0.02 && seconds > 1 ? ` · about ${duration((seconds / share) * (1 - share))} left` : "";
  element("done").textContent = genome ? `${whole(progress.done)} of ${whole(progress.total)} bases${left}` : `${whole(labelled_)} of ${counted(progress.records)}${left}`;
}

async function run(event) {
  event?.preventDefault();
  if (page.running) return;
  showProblem(null);
  let input;
  try {
    input = await readInput();
  } catch (error) {
    showProblem(error);
    return;
  }
  const { kept, refused } = input;
  page.running = kept.length > 0;
  page.results = new Array(kept.length);
  const left = refused.length ? `Left out: ${refused.slice(0, 5).map(({ id, reason }) => `${id} (${reason})`).join("; ")}${refused.length > 5 ? ` and ${whole(refused.length - 5)} more` : ""}.` : "";
  const least = settingsNow().minContig, small = Object.keys(model.sites).length ? kept.filter((one) => one.sequence.length < least) : [];
  const short = small.length ? `No sites are called on ${counted(small.length)} of fewer than ${least} bases: ${small.slice(0, 5).map((one) => one.id).join(", ")}.` : "";
  page.remarks = [unlikeTraining(kept, model), short, left].filter(Boolean).join("\n");
  if (!kept.length) {
    finish("");
    return;
  }
  const progress = { done: 0, total: kept.reduce((sum, one) => sum + one.sequence.length, 0), records: kept.length, began: performance.now() };
  busy(true);
  showProgress(progress);
  try {
    page.worker ??= newWorker();
  } catch (error) {
    stop(error.message);
    return;
  }
  page.worker.onerror = (failure) => {
    failure.preventDefault?.();
    stop(failure.message || "the browser refused the worker");
  };
  page.worker.onmessage = ({ data }) => {
    if (data.error) stop(data.error);
    for (const found of data.found || []) page.results[found.place] = new Labelled(kept[found.place], found);
    if (data.contig) page.results[data.contig.place] = { ...data.contig, id: kept[data.contig.place].id, sequence: kept[data.contig.place].sequence };
    progress.done += data.residues || 0;
    if (data.residues) showProgress(progress);
    if (data.done) {
      progress.seconds = (performance.now() - progress.began) / 1000;
      element("results").dataset.seconds = progress.seconds;
      finish("");
    }
  };
  page.worker.postMessage({ label: { texts: kept.map((one) => one.sequence), settings: settingsNow() } });
}

function finish(remark) {
  busy(false);
  page.running = false;
  showResults([remark, page.remarks].filter(Boolean).join("\n"));
  if (page.results.some(Boolean)) {
    // Where the page is embedded in another one, that one stays where it is.
    scrollTo(0, scrollY + element("results").getBoundingClientRect().top);
    element("title").focus({ preventScroll: true });
  }
}

function stop(reason) {
  page.worker?.terminate();
  page.worker = null;
  const labelled_ = page.results.filter(Boolean).length;
  const partly = `${reason ? "Stopped" : "Cancelled"}: ${whole(labelled_)} of ${counted(page.results.length)} ${labelled_ === 1 ? "is" : "are"} labelled.`;
  finish(partly);
  if (reason) showProblem(new InputError(`The computation stopped: ${reason}`, { hint: "Label fewer or shorter sequences at once, or use grubio predict." }));
  else note(partly);
}

// ---- input --------------------------------------------------------------------------------

function hold(file) {
  page.file = file;
  page.insist = false;
  showProblem(null);
  element("text").hidden = Boolean(file);
  element("held").hidden = !file;
  if (file) element("held").firstElementChild.textContent = `${file.name}, ${file.size < 1e6 ? `${Math.ceil(file.size / 1000)} kB` : `${(file.size / 1e6).toFixed(1)} MB`}`;
  else element("file").value = "";
}

function paste(text) {
  const field = element("text");
  hold(null);
  field.value = text;
  field.focus();
  field.setSelectionRange(0, 0);
  field.scrollTop = 0;
}

function begin() {
  const kernel = Uint8Array.from(atob(content("kernel")), (letter) => letter.charCodeAt(0));
  if (typeof Worker === "undefined" || typeof WebAssembly === "undefined" || !WebAssembly.validate(kernel)) return;
  element("unsupported").hidden = true;
  element("input").hidden = false;
  const on = (id, kind, act) => element(id).addEventListener(kind, act);
  on("input", "submit", run);
  on("cancel", "click", () => stop(""));
  on("example", "click", () => paste(model.example));
  on("release", "click", () => hold(null));
  on("insist", "click", () => { page.insist = true; run(); });
  on("text", "input", () => { page.insist = false; });
  on("file", "change", () => element("file").files.length && hold(element("file").files[0]));
  on("text", "keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event); });
  for (const name of ["scheme", "minConfidence", "minSegment", "maxGap", "regionThreshold", "minRegion"]) {
    if (!genome) element(`option-${name}`)?.addEventListener("change", () => { if (!page.running && page.results.some(Boolean)) showResults(page.remarks || ""); });
  }
  addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dragged"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dragged"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragged");
    const [file] = event.dataTransfer.files, text = event.dataTransfer.getData("text/plain");
    if (file) hold(file);
    else if (text) paste(text);
  });
}

begin();
