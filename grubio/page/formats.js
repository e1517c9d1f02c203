// Results as files, with the content of the command line's formats (grubio/writers/). Each is a
// generator of pieces of text, so that the page can pause between them.

const round4 = (value) => Number(value.toFixed(4));

function segmentsIn(labels, shares, scheme, { minSegment, maxGap }) {
  const size = scheme.letters.length, runs = runsOf(labels).filter((run) => scheme.letters.includes(run.letter)), found = [];
  for (let at = 0; at < runs.length;) {
    const { letter, start } = runs[at];
    let { end } = runs[at], following = at + 1;
    if (maxGap && letter !== scheme.background) {
      for (let ahead = following; ahead < runs.length && runs[ahead].start - end <= maxGap; ahead++) {
        if (runs[ahead].letter === letter) [end, following] = [runs[ahead].end, ahead + 1];
      }
    }
    if (end - start >= minSegment) {
      const column = scheme.letters.indexOf(letter);
      let sum = 0;
      for (let place = start; place < end; place++) sum += shares[place * size + column];
      found.push({ start: start + 1, end, label: letter, confidence: sum / (end - start) });
    }
    at = following;
  }
  return found;
}

// The characters that GFF3 allows in names without escape are in `safe`.
function percentEncoded(text, safe) {
  return text.replace(/[^A-Za-z0-9_.~-]/gu, (letter) => (safe.includes(letter) ? letter
    : [...new TextEncoder().encode(letter)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")));
}

const GFF_SAFE = ".:^*$@!+?|-_";

function gffLine(name, term, start, end, score, strand, className, letter) {
  const about = `Name=${percentEncoded(className, ` ${GFF_SAFE}`)};label=${percentEncoded(letter, "/")}`;
  return `${[percentEncoded(name, GFF_SAFE), "grubio", term, start, end, score.toFixed(3), strand, ".", about].join("\t")}\n`;
}

// The background. Sides are features of proteins with membrane helices alone.
function leftOut(own) {
  const found = topologyOf(own), left = [own.scheme.background];
  if (!found || (found.helices.length && !found.strands.length)) return left;
  return [...left, ...Object.keys(own.scheme.roles).filter((letter) => ["inside", "outside"].includes(own.scheme.roles[letter]))];
}

const gffHead = (model) => `##gff-version 3\n# grubio model ${model.described}\n`;
const gffRegion = (name, length) => `##sequence-region ${percentEncoded(name, GFF_SAFE)} 1 ${length}\n`;

const SEQUENCE_FORMATS = {
  tsv: { name: "TSV", *pieces(items, model, scheme) {
    const others = model.targets.filter((target) => model.additional.includes(target.name)), letters = [...scheme.letters];
    yield `${["id", "position", "residue", ...(letters.length ? ["label"] : []), ...letters.map((one) => `p_${one}`), ...others.flatMap((one) => one.columns)].join("\t")}\n`;
    for (const item of items) {
      const shares = item.shares(), size = letters.length, rows = [];
      const labellings = others.map((one) => (one.classes ? labelsOf(item, one) : null));
      for (let at = 0; at < item.sequence.length; at++) {
        let row = `${item.id}\t${at + 1}\t${item.sequence[at]}${size ? `\t${item.labels[at]}` : ""}`;
        for (let k = 0; k < size; k++) row += `\t${shares[at * size + k].toFixed(4)}`;
        others.forEach((one, number) => {
          if (one.classes) row += `\t${labellings[number][at]}`;
          for (let k = 0; k < one.size; k++) row += `\t${item.answer[one.name][at * one.size + k].toFixed(4)}`;
        });
        rows.push(row);
      }
      yield `${rows.join("\n")}\n`;
    }
  } },
  fasta: { name: "FASTA", labels: true, *pieces(items) {
    for (const item of items) yield `>${item.id}\n${item.labels}\n`;
  } },
  gff3: { name: "GFF3", labels: true, regions: true, *pieces(items, model, scheme, settings) {
    yield gffHead(model);
    for (const item of items) {
      const lines = labellingsOf(item, model, scheme).flatMap((own) => {
        const left = leftOut(own), { terms, classNames, letters } = own.scheme;
        return segmentsIn(own.labels, own.shares, own.scheme, own.main ? settings : { minSegment: 1, maxGap: 0 })
          .filter((one) => !left.includes(one.label))
          .map((one) => gffLine(item.id, terms[one.label], one.start, one.end, one.confidence, ".", classNames[letters.indexOf(one.label)], one.label));
      });
      const regions = regionsOf(item, model, settings).map((one) => gffLine(item.id, one.term, one.start, one.end, one.mean, ".", one.name, one.target));
      yield gffRegion(item.id, item.sequence.length) + [...lines, ...regions].join("");
    }
  } },
  json: { name: "JSON", *pieces(items, model, scheme, settings) {
    const head = { format: "grubio-predictions", version: 1, grubio: model.version, model: model.described,
      scheme: { name: scheme.name, letters: scheme.letters, class_names: scheme.classNames, background: scheme.background } };
    yield `${JSON.stringify(head).slice(0, -1)},"sequences":[`;
    let before = "\n";
    for (const item of items) {
      yield before + JSON.stringify(sequenceContent(item, model, scheme, settings));
      before = ",\n";
    }
    yield "\n]}\n";
  } },
};

const column = (rows, size, k) => Array.from({ length: rows.length / size }, (_, at) => round4(rows[at * size + k]));

function sequenceContent(item, model, scheme, settings) {
  const content = { id: item.id, sequence: item.sequence }, shares = item.shares(), letters = [...scheme.letters];
  if (letters.length) {
    content.labels = item.labels;
    content.confidence = Array.from(item.confidences(), round4);
    content.probabilities = Object.fromEntries(letters.map((letter, k) => [letter, column(shares, letters.length, k)]));
  }
  for (const target of model.targets.filter((one) => model.additional.includes(one.name))) {
    const found = item.answer[target.name];
    if (target.spread) content[target.name] = { values: column(found, 2, 0), deviations: column(found, 2, 1) };
    else if (!target.classes) content[target.name] = column(found, 1, 0);
    else {
      content[target.name] = { labels: labelsOf(item, target),
        probabilities: Object.fromEntries([...target.scheme.letters].map((letter, k) => [letter, column(found, target.size, k)])) };
    }
  }
  if (letters.length) content.segments = segmentsIn(item.labels, shares, scheme, settings).map((one) => ({ ...one, confidence: round4(one.confidence) }));
  const found = topologyIn(item, model, scheme);
  if (found) {
    content.protein = { kind: found.kind, signal_probability: round4(found.signal), cleavage_site: found.cleavage,
      cleavage_probability: found.chance === null ? null : round4(found.chance), helices: found.helices, strands: found.strands,
      n_terminus: found.side, type: found.type, string: found.string };
  }
  if (model.targets.some((one) => !one.classes && calledRegions(one, settings))) {
    content.regions = regionsOf(item, model, settings).map(({ term, ...one }) => ({ ...one, mean: round4(one.mean) }));
  }
  return content;
}

const TSV_BASES = 5000;

const GENOME_FORMATS = {
  gff3: { name: "GFF3", *pieces(contigs, model, scheme) {
    yield gffHead(model);
    for (const contig of contigs) {
      yield gffRegion(contig.id, contig.sequence.length) + contig.features.map((one) => gffLine(contig.id, scheme.terms[scheme.letters[one.column]],
        one.start + 1, one.end, one.score, one.strand, scheme.classNames[one.column], scheme.letters[one.column])).join("");
    }
  } },
  bed: { name: "BED", *pieces(contigs, model, scheme) {
    const half = (value) => { // to the even number, as Python rounds
      const down = Math.floor(value);
      return value - down === 0.5 ? down + (down % 2) : Math.round(value);
    };
    for (const contig of contigs) {
      yield contig.features.map((one) => `${[contig.id, one.start, one.end, scheme.classNames[one.column].replace(/\s/g, "_"), half(1000 * one.score), one.strand].join("\t")}\n`).join("");
    }
  } },
  tsv: { name: "TSV", *pieces(contigs, model, scheme) {
    const size = scheme.letters.length;
    yield `${["id", "position", "strand", "residue", "label", ...[...scheme.letters].map((one) => `p_${one}`)].join("\t")}\n`;
    for (const { id, sequence, probabilities, classes } of contigs) {
      const strands = Object.keys(probabilities);
      for (let first = 0; first < sequence.length; first += TSV_BASES) {
        let rows = "";
        for (let at = first; at < Math.min(first + TSV_BASES, sequence.length); at++) {
          if (sequence[at] === "N" || sequence[at] === "n") continue;
          for (const strand of strands) {
            rows += `${id}\t${at + 1}\t${strand}\t${strand === "+" ? sequence[at] : complementOf(sequence[at])}\t${scheme.letters[classes[strand][at]]}`;
            for (let k = 0; k < size; k++) rows += `\t${probabilities[strand][at * size + k].toFixed(4)}`;
            rows += "\n";
          }
        }
        yield rows;
      }
    }
  } },
};
