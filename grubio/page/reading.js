// FASTA and its faults, told as by the command line: grubio/readers/fasta.py, grubio/datasets/validation.py.

class InputError extends Error {
  constructor(problem, { path, line, record, position, hint } = {}) {
    const places = [line && `line ${line}`, record !== undefined && `record '${record}'`, position && `position ${position}`].filter(Boolean);
    super([path, places.join(", "), problem].filter(Boolean).join(": "));
    Object.assign(this, { problem, position, hint });
  }
}

const JUDGED_ENTRIES = 5, LABELLED_RESIDUES = 9, LABELS_SEEN = new Set("HGIEBTSCLPOMDNX?-.~_");
const OTHER_FORMATS = [["LOCUS ", "genbank"], ["ID   ", "embl"], ["# STOCKHOLM", "stockholm"], ["CLUSTAL", "clustal"], ["MUSCLE (", "clustal"],
  ["#NEXUS", "nexus"], ["@", "fastq"], ["HEADER ", "pdb-seqres"], ["data_", "cif-seqres"]];

const quoted = (text) => (text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replace(/'/g, "\\'")}'`);

function letterName(letter) {
  const code = letter.codePointAt(0), shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(letter);
  const point = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return code < 128 && shown ? `'${letter}'` : shown ? `'${letter}' ${point}` : point;
}

// The records of a text: {id, description, sequence}. Residues without any header are one record.
function readFasta(text, path) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  const entries = [], first = lines.findIndex((line) => line.trim());
  if (first >= 0 && !/^>/.test(lines[first])) {
    const kind = OTHER_FORMATS.find(([start]) => lines[first].startsWith(start));
    if (kind || lines.some((line) => line.startsWith(">")) || !/^[A-Za-z*\s.-]+$/.test(text)) {
      throw new InputError(`there is text before the first header: ${quoted(lines[first].trim().slice(0, 40))}`, { path, line: first + 1,
        hint: kind ? `this looks like ${kind[1]}; convert it to FASTA` : "a FASTA record starts with a line '>id'" });
    }
    lines[first] = `>sequence\n${lines[first]}`;
    return readFasta(lines.join("\n"), path);
  }
  lines.forEach((line, number) => {
    if (line.startsWith(">")) entries.push({ line: number + 1, title: line.slice(1), parts: [] });
    else if (entries.length) {
      const hidden = /\p{Cf}/u.exec(line);
      if (hidden) throw new InputError(`the line contains an invisible letter, ${letterName(hidden[0])}`, { path, line: number + 1, hint: "remove it" });
      if (line.trim()) entries[entries.length - 1].parts.push(line.trim());
    }
  });
  if (!entries.length) throw new InputError("holds no records", { path: path || "the input", hint: "give FASTA: >id, then residues" });
  const seen = new Map();
  const records = entries.map((entry, at) => {
    const [, id, description] = /^(\S*)\s*([^]*)$/.exec(entry.title.trim());
    const { line } = entry;
    if (!id) throw new InputError("the header has no id", { path, line });
    // eslint-disable-next-line no-control-regex
    if (/[\u0000-\u001f\u007f]/.test(id)) throw new InputError("the id has control characters", { path, line });
    if (/[^\u0000-\u007f]/.test(id)) {
      throw new InputError("the id has characters outside ASCII", { path, line, record: id, hint: "rename it; descriptions may have any characters" });
    }
    if (seen.has(id)) {
      throw new InputError(`the id occurs twice, as records ${seen.get(id)} and ${at + 1}`, { path, record: id, hint: "give every record an id of its own" });
    }
    seen.set(id, at + 1);
    return { id, description, sequence: entry.parts.join("").replace(/\s+/g, ""), entry };
  });
  refuseLabels(records, path);
  return records.map(({ id, description, sequence }) => ({ id, description, sequence }));
}

// A line of labels under each sequence would be read as residues.
function refuseLabels(records, path) {
  const first = records.slice(0, JUDGED_ENTRIES);
  const half = ({ entry: { parts } }) => {
    const size = parts.reduce((sum, one) => sum + one.length, 0);
    let length = 0;
    const at = parts.findIndex((one) => (length += one.length) * 2 === size);
    if (at < 0) return null;
    const residues = new Set(parts.slice(0, at + 1).join("").toUpperCase()), labels = new Set(parts.slice(at + 1).join("").toUpperCase());
    return residues.size >= LABELLED_RESIDUES && labels.size < LABELLED_RESIDUES && [...labels].every((one) => LABELS_SEEN.has(one)) ? at : null;
  };
  const halves_ = first.map(half);
  if (halves_.every((one) => one !== null) && readLikeLabels(first.map(({ entry: { parts } }, at) => parts.slice(halves_[at] + 1).join("").toUpperCase()))) {
    throw new InputError("has a line of labels under each sequence (three-line FASTA)", { path: path || "the input", line: first[0].entry.line + 2 + halves_[0],
      hint: "give the sequences alone. If the labels are residues, write each sequence on one line" });
  }
}

// Labels have coil, a side of the membrane or nothing, and stand in runs; a repeat such as GSGS does not.
function readLikeLabels(lines) {
  const text = lines.join("\n"), runs = text.match(/(.)\1*/g).length;
  return /[CLIO.~_-]/.test(text) && 2 * runs <= text.length - lines.length + 1;
}

// Enough of the first records to judge the input by.
function firstRecords(records) {
  let judged = 0;
  const few = [];
  for (const record of records.slice(0, 1000)) {
    if (judged >= 100000) break;
    judged += record.sequence.length;
    few.push(record);
  }
  return few;
}

// How an input differs from what the model was trained on, as grubio/model/training_input.py says it.
function unlikeTraining(records, model) {
  const { training, alphabet, channels, kind, name } = model;
  if (!training || !records.length) return "";
  const few = firstRecords(records), [shortest, longest] = training.lengths, found = [];
  const counts = wordCounts(few, alphabet, channels, training), total = counts.reduce((sum, one) => sum + one, 0);
  const entropy = (shares) => -shares.reduce((sum, one) => sum + (one > 0 ? one * Math.log2(one) : 0), 0);
  if (total) {
    const strands = alphabet.name === "dna" ? 2 : 1, shares = counts.map((one) => one / total), expected = training.shares;
    const chance = (counts.length / strands - 1) / ((8 * total / strands) * Math.LN2);
    const bits = entropy(expected.map((one, at) => (one + shares[at]) / 2)) - (entropy(expected) + entropy(shares)) / 2;
    const limit = training.usualBits + training.usualErrors * chance;
    if (bits > limit) {
      let what = "GC", here, there;
      if (strands === 2) {
        const rest = counts.length / 4, part = (all) => 100 * all.slice(rest, 3 * rest).reduce((sum, one) => sum + one, 0);
        [here, there] = [part(shares), part(expected)];
      } else {
        let most = 0;
        shares.forEach((one, at) => { if (Math.abs(one - expected[at]) > Math.abs(shares[most] - expected[most])) most = at; });
        [what, here, there] = [alphabet.codes[most], 100 * shares[most], 100 * expected[most]];
      }
      found.push(`its composition differs (${here.toFixed(0)} % ${what}, ${there.toFixed(0)} % in training; divergence ${bits.toFixed(3)} bits, up to ${limit.toFixed(3)} is usual)`);
    }
  }
  const whole = kind === "sequences", seen = whole ? `${shortest.toLocaleString("en-US")} to ${longest.toLocaleString("en-US")}` : shortest.toLocaleString("en-US");
  const share = (test) => 2 * few.filter(({ sequence }) => test(sequence.length)).length > few.length;
  const word = share((one) => one < shortest) ? "shorter" : whole && share((one) => one > longest) ? "longer" : "";
  if (word) found.push(`most sequences are ${word} than those of training (${seen} residues)`);
  return found.length ? `Unlike what ${name} was trained on: ${found.join("; ")}; labels may be unreliable.` : "";
}

// Words of standard residues, of DNA on both strands.
function wordCounts(few, alphabet, channels, { word, judged }) {
  const size = channels[0].length, counts = new Array(size ** word).fill(0), index = {};
  [...alphabet.codes].forEach((letter, code) => {
    index[letter] = index[letter.toLowerCase()] = channels[code].indexOf(1);
  });
  let known = 0;
  for (const { sequence } of few) {
    for (let start = 0; start < sequence.length && known < judged; start += judged) {
      const letters = Array.from(sequence.slice(start, start + judged), (letter) => index[letter] ?? -1);
      for (let at = 0; at + word <= letters.length; at++) {
        let forwards = 0, backwards = 0, whole = true;
        for (let k = 0; k < word; k++) {
          if (letters[at + k] < 0) whole = false;
          forwards = forwards * size + letters[at + k];
          backwards = backwards * size + (size - 1 - letters[at + word - 1 - k]);
        }
        if (!whole) continue;
        counts[forwards] += 1;
        if (alphabet.name === "dna") counts[backwards] += 1;
      }
      known += letters.filter((one) => one >= 0).length;
    }
  }
  return counts;
}

// Which alphabet the first records are in, as `likelier_alphabet` of grubio/sequences/alphabet.py.
function refuseOtherAlphabet(records, alphabet, path) {
  let bits = 0;
  for (const { sequence } of firstRecords(records)) {
    for (const letter of sequence.toUpperCase()) bits += alphabet.dnaBits[letter] || 0;
  }
  const ours = alphabet.name === "dna" ? bits : -bits;
  if (ours <= -alphabet.certainBits) {
    const error = new InputError(`looks like ${alphabet.other.title}, but ${alphabet.title} was expected`, { path: path || "the input",
      hint: `this page labels ${alphabet.title}` });
    error.insist = true;
    throw error;
  }
}

// Records without letters that are no residues, and those that were left out, each with the reason.
function checkedRecords(records, alphabet, onInvalid, path) {
  const known = new Set(alphabet.codes + alphabet.codes.toLowerCase());
  const bad = new RegExp(`[^${[...known].join("")}]`, "u"), all = new RegExp(bad.source, "gu");
  const kept = [], refused = [];
  for (const record of records) {
    try {
      kept.push(checkedRecord(record));
    } catch (error) {
      if (onInvalid === "error" || !(error instanceof InputError)) throw error;
      refused.push({ id: record.id, reason: `${error.position ? `position ${error.position}: ` : ""}${error.problem}` });
    }
  }
  return { kept, refused };

  function checkedRecord(record) {
    let { sequence } = record;
    if (sequence.endsWith("*")) sequence = sequence.slice(0, -1);
    if (!sequence) throw new InputError("the record has no sequence", { path, record: record.id });
    const found = bad.exec(sequence);
    if (!found) return { ...record, sequence };
    if (onInvalid === "mask") return { ...record, sequence: sequence.replace(all, alphabet.unknown) };
    const count = sequence.match(all).length;
    throw new InputError(`${letterName(found[0])} is not a ${alphabet.name} residue${count > 1 ? ` (${count} such letters)` : ""}`, { path,
      record: record.id, position: found.index + 1, hint: hintFor(sequence, found[0]) });
  }

  function hintFor(sequence, letter) {
    const rest = "or choose to leave such records out, or to read the letters as unknown residues (Options)";
    if (letter === "-" || letter === ".") return `remove the gaps of the alignment, ${rest}`;
    if (letter === "*") return `a stop may stand at the end only; cut the sequence there, ${rest}`;
    const others = new Set(alphabet.other.codes + alphabet.other.codes.toLowerCase());
    if (alphabet.name !== "protein" && [...sequence].every((one) => others.has(one))) return "this looks like protein; use a protein model";
    return `correct it, ${rest}`;
  }
}
