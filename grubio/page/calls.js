// What is called of a labelled sequence: all its labellings, the membrane topology that one of them may
// say (grubio/sequences/topology.py), and regions of values (LabelledSequence.regions).

// The labels, if there are any, and those of further targets of classes: `main` for the first.
function labellingsOf(item, model, scheme) {
  const others = model.targets.filter((one) => one.classes && model.additional.includes(one.name));
  return [...(scheme.letters ? [{ main: true, labels: item.labels, shares: item.shares(), scheme }] : []),
    ...others.map((one) => ({ main: false, labels: labelsOf(item, one), shares: item.answer[one.name], scheme: one.scheme }))];
}

const labelsOf = (item, target) => lettersOf(bestClasses(item.answer[target.name], target.size, target.graph), target.scheme.letters);

function topologyOf({ labels, shares, scheme }) {
  const { roles, letters } = scheme;
  if (!roles) return null;
  const runs = runsOf(labels).filter((run) => run.letter in roles).map((run) => ({ role: roles[run.letter], first: run.start + 1, last: run.end }));
  const places = (role) => runs.filter((run) => run.role === role).map((run) => [run.first, run.last]);
  const helices = places("helix"), strands = places("strand"), membrane = helices.length + strands.length > 0;
  const columns = [...letters].flatMap((letter, k) => (roles[letter] === "signal" ? [k] : []));
  const signal = (at) => (at < labels.length ? columns.reduce((sum, k) => sum + shares[at * letters.length + k], 0) : 0);
  const cleavage = runs.length && runs[0].role === "signal" && runs[0].first === 1 ? runs[0].last : null;
  const isSide = (run) => run.role === "inside" || run.role === "outside";
  const side = membrane ? runs.find(isSide)?.role ?? null : null;
  let type = "", string = cleavage === null ? "" : `c${cleavage}/${cleavage + 1}`;
  if (helices.length > 1 && !strands.length) type = "multi-pass";
  else if (helices.length && !strands.length) {
    if (side === "inside") type = cleavage === null ? "II" : "";
    else if (cleavage !== null) type = "I";
    else type = side ? "III" : "";
  }
  if (membrane) {
    for (const run of runs) string += isSide(run) ? run.role[0] : run.role === "signal" ? "" : `${run.first}-${run.last}`;
  }
  const withSignal = cleavage === null ? ["membrane protein", "globular"] : ["membrane protein with signal peptide", "signal peptide"];
  return { kind: strands.length ? "barrel" : withSignal[helices.length ? 0 : 1], signal: signal(0), cleavage,
    chance: cleavage === null ? null : Math.max(signal(cleavage - 1) - signal(cleavage), 0), helices, strands, side, type, string };
}

const topologyIn = (item, model, scheme) => labellingsOf(item, model, scheme).map(topologyOf).find(Boolean) ?? null;

function topologyFacts(found) {
  const rows = [["Kind", found.kind]];
  if (found.cleavage !== null) rows.push(["Signal peptide", `1-${found.cleavage}`], ["Cleavage there", `${(100 * found.chance).toFixed(0)} %`]);
  if (found.helices.length) rows.push(["Membrane helices", String(found.helices.length)]);
  if (found.strands.length) rows.push(["Barrel strands", String(found.strands.length)]);
  if (found.side) rows.push(["N-terminus", found.side]);
  return found.type ? [...rows, ["Type", found.type]] : rows;
}

// The target with the threshold and the least length that are asked for.
function calledRegions({ name, regions }, { regionThreshold, minRegion }) {
  if (!regions && regionThreshold === null) return null;
  const own = regions ?? { name: `low_${name}`, threshold: 0, above: false, least: 1, term: "sequence_feature" };
  return { ...own, threshold: regionThreshold ?? own.threshold, least: minRegion ?? own.least };
}

function regionsOf(item, model, settings) {
  const found = [];
  for (const target of model.targets.filter((one) => !one.classes)) {
    const called = calledRegions(target, settings);
    if (!called) continue;
    const width = target.spread ? 2 : 1, values = item.answer[target.name], limit = Math.fround(called.threshold);
    const inside = Array.from({ length: values.length / width }, (_, at) => ((called.above ? values[at * width] > limit : values[at * width] < limit) ? "x" : "."));
    for (const run of runsOf(inside.join("")).filter((one) => one.letter === "x" && one.end - one.start >= called.least)) {
      let sum = 0;
      for (let at = run.start; at < run.end; at++) sum += values[at * width];
      found.push({ start: run.start + 1, end: run.end, name: called.name, target: target.name, mean: sum / (run.end - run.start), term: called.term });
    }
  }
  return found;
}
