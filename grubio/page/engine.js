"use strict";
// The network: residue codes in, the outputs of all targets out. It prepares the weights and the rows
// for kernel.wasm as grubio/model/engines/gru_layer.py does for numpy.

const upTo = (count, multiple) => Math.ceil(count / multiple) * multiple;

// Half-precision numbers in little-endian order, as Float32Array.
function halves(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Float32Array(bytes.byteLength / 2), powers = Float64Array.from({ length: 32 }, (_, at) => 2 ** (at - 15));
  for (let at = 0; at < found.length; at++) {
    const half = view.getUint16(2 * at, true), exponent = (half >> 10) & 31, fraction = half & 1023;
    const size = exponent ? powers[exponent] * (1 + fraction / 1024) : powers[1] * (fraction / 1024);
    found[at] = half & 0x8000 ? -size : size;
  }
  return found;
}

function unpacked(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

// Memory of the kernel: blocks of numbers, one after another. What is given out after `keep` is free
// again after `reset`.
class Room {
  constructor(instance) {
    this.memory = instance.exports.memory;
    this.first = this.next = upTo(instance.exports.__heap_base.value, 16);
  }

  take(bytes) {
    const start = this.next;
    this.next = upTo(start + bytes, 16);
    const missing = this.next - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536) + 64);
    return start;
  }

  put(numbers) {
    const start = this.take(numbers.byteLength);
    new numbers.constructor(this.memory.buffer, start, numbers.length).set(numbers);
    return start;
  }

  floats(start, count) { return new Float32Array(this.memory.buffer, start, count); }
  keep() { this.first = this.next; }
  reset() { this.next = this.first; }
}

// Weights (input, column) in panels of 8 columns.
function panels(inputs, columns, weight) {
  const found = new Float32Array(inputs * columns);
  for (let column = 0; column < columns; column++) {
    const start = (column >> 3) * 8 * inputs + (column & 7);
    for (let input = 0; input < inputs; input++) found[start + 8 * input] = weight(input, column);
  }
  return found;
}

class Member {
  constructor(model, taken, kernel, room) {
    this.kernel = kernel;
    this.room = room;
    const { filters, width } = model.network;
    const known = model.channels.length, size = model.channels[0].length;
    this.stem = { known, size, width, filters: upTo(filters, 4) };
    this.stem.channels = room.put(Float32Array.from(model.channels.flat()));
    const kernelWeights = filters ? taken("network.stem.convolution.weight") : null;
    const tables = new Float32Array(width * known * this.stem.filters), bias = new Float32Array(this.stem.filters);
    for (let f = 0; f < filters; f++) {
      for (let w = 0; w < width; w++) {
        for (let code = 0; code < known; code++) {
          let sum = 0;
          for (let c = 0; c < size; c++) sum += model.channels[code][c] * kernelWeights[(f * size + c) * width + w];
          tables[(w * known + code) * this.stem.filters + f] = sum;
        }
      }
    }
    if (filters) bias.set(taken("network.stem.convolution.bias"));
    this.stem.tables = room.put(tables);
    this.stem.bias = room.put(bias);
    this.hidden = upTo(model.network.hidden, 8);
    this.inputs = size + this.stem.filters;
    this.body(model, taken, Array.from({ length: size + filters }, (_, i) => i));
  }

  // The layers and the heads; `places` are where the inputs are among the columns of the stem.
  body(model, taken, places) {
    const { hidden, layers } = model.network;
    let inputs = this.inputs;
    this.layers = [];
    for (let depth = 0; depth < layers; depth++) {
      this.layers.push(["forwards", "backwards"].map((direction) => {
        const name = (part) => `network.layers.${depth}.${direction}.${part}_l0`;
        return this.direction(taken(name("weight_ih")), taken(name("weight_hh")), taken(name("bias_ih")), taken(name("bias_hh")), hidden, places, inputs);
      }));
      places = Array.from({ length: 2 * hidden }, (_, i) => (i < hidden ? i : this.hidden + i - hidden));
      inputs = 2 * this.hidden;
    }
    this.heads(model, taken, places, inputs);
  }

  direction(inputWeights, weights, inputBias, bias, hidden, places, inputs) {
    const wide = this.hidden, columns = 3 * wide, features = places.length;
    const feature = new Int32Array(inputs).fill(-1);
    places.forEach((place, at) => { feature[place] = at; });
    const row = (column) => Math.floor(column / wide) * hidden + (column % wide);
    const used = (column) => column % wide < hidden;
    const scale = (column) => (column < 2 * wide ? 0.5 : 1);
    const ofInput = panels(inputs, columns, (input, column) =>
      used(column) && feature[input] >= 0 ? scale(column) * inputWeights[row(column) * features + feature[input]] : 0);
    const ofState = panels(wide, columns, (unit, column) =>
      used(column) && unit < hidden ? 0.5 * weights[row(column) * hidden + unit] : 0);
    const given = new Float32Array(columns), own = new Float32Array(columns);
    for (let column = 0; column < columns; column++) {
      if (!used(column)) continue;
      const both = column < 2 * wide;
      given[column] = scale(column) * (inputBias[row(column)] + (both ? bias[row(column)] : 0));
      own[column] = both ? 0 : 0.5 * bias[row(column)];
    }
    const { room } = this;
    return { inputs, inputWeights: room.put(ofInput), inputBias: room.put(given), weights: room.put(ofState), bias: room.put(own) };
  }

  heads(model, taken, places, inputs) {
    const rows = [], biases = [];
    model.targets.forEach((target, number) => {
      const weight = taken(`heads.${number}.weight`), bias = taken(`heads.${number}.bias`);
      for (let at = 0; at < target.size; at++) {
        rows.push(weight.subarray(at * places.length, (at + 1) * places.length));
        biases.push(bias[at]);
      }
    });
    const feature = new Map(places.map((place, at) => [place, at]));
    this.columns = upTo(rows.length, 8);
    this.headWeights = this.room.put(panels(inputs, this.columns, (input, column) =>
      column < rows.length && feature.has(input) ? rows[column][feature.get(input)] : 0));
    const bias = new Float32Array(this.columns);
    bias.set(biases);
    this.headBias = this.room.put(bias);
  }

  // The scores (row, column) of packed rows, as a place in memory.
  scores(rows) {
    const { kernel, room, stem, hidden } = this, size = rows.size;
    let seen = room.take(4 * size * this.inputs);
    kernel.stem(rows.codes, rows.windows, size, stem.channels, stem.size, stem.tables, stem.bias, stem.width, stem.known, stem.filters, seen, this.inputs);
    const wide = 2 * hidden, most = Math.max(rows.most, 512);
    const widest = Math.max(this.inputs, wide);
    const state = room.take(4 * rows.most * hidden);
    const scratch = room.take(4 * (most * (widest + 3 * hidden) + rows.most * 3 * hidden));
    // Layers take turns with two blocks of states.
    const blocks = [room.take(4 * size * wide), room.take(4 * size * wide)];
    this.layers.forEach((directions, depth) => {
      const found = blocks[depth % 2];
      directions.forEach((way, number) => {
        room.floats(state, rows.most * hidden).fill(0);
        kernel.layer(seen, way.inputs, rows.orders[number], rows.counts, rows.steps, way.inputWeights, way.inputBias,
          way.weights, way.bias, hidden, found + 4 * number * hidden, wide, state, scratch);
      });
      seen = found;
    });
    const scores = room.take(4 * size * this.columns);
    kernel.product(seen, wide, this.headWeights, this.headBias, scores, size, wide, this.columns);
    return scores;
  }
}

// The dilated convolution, as grubio/model/engines/dilated_conv.py computes it: a layer is one product
// of the rows of all places that it sees.
class ConvMember extends Member {
  body(model, taken, places) {
    const { room, hidden: wide } = this, { hidden, layers } = model.network;
    const feature = new Int32Array(this.inputs).fill(-1);
    places.forEach((place, at) => { feature[place] = at; });
    const padded = (bias) => {
      const found = new Float32Array(wide);
      found.set(bias);
      return room.put(found);
    };
    const entrance = taken("network.entrance.weight");
    this.entrance = {
      weights: room.put(panels(this.inputs, wide, (input, column) =>
        column < hidden && feature[input] >= 0 ? entrance[column * places.length + feature[input]] : 0)),
      bias: padded(taken("network.entrance.bias")),
    };
    this.layers = Array.from({ length: layers }, (_, depth) => {
      const weight = taken(`network.layers.${depth}.weight`);
      this.width = weight.length / (hidden * hidden);
      const weights = room.put(panels(this.width * wide, wide, (input, column) => {
        const channel = input % wide, place = Math.floor(input / wide);
        return column < hidden && channel < hidden ? weight[(column * hidden + channel) * this.width + place] : 0;
      }));
      return { weights, bias: padded(taken(`network.layers.${depth}.bias`)), dilation: 2 ** (depth % 10) };
    });
    this.heads(model, taken, Array.from({ length: hidden }, (_, i) => i), wide);
  }

  scores(rows) {
    const { kernel, room, stem, hidden: wide, width } = this, { size } = rows, chunk = 512, across = width * wide;
    const seen = room.take(4 * size * this.inputs), states = room.take(4 * size * wide), next = room.take(4 * size * wide);
    const around = room.take(4 * chunk * across), scores = room.take(4 * size * this.columns);
    kernel.stem(rows.codes, rows.windows, size, stem.channels, stem.size, stem.tables, stem.bias, stem.width, stem.known, stem.filters, seen, this.inputs);
    kernel.product(seen, this.inputs, this.entrance.weights, this.entrance.bias, states, size, this.inputs, wide);
    const all = new Float32Array(room.memory.buffer), from = states / 4, to = around / 4, sums = next / 4;
    for (const { weights, bias, dilation } of this.layers) {
      for (let first = 0; first < size; first += chunk) {
        const count = Math.min(chunk, size - first);
        all.fill(0, to, to + count * across);
        for (let at = 0; at < count; at++) {
          const step = rows.stepOf[first + at], column = first + at - rows.starts[step];
          for (let place = 0; place < width; place++) {
            const other = step + (place - (width >> 1)) * dilation;
            if (other < 0 || other >= rows.lengths[column]) continue;
            const row = from + (rows.starts[other] + column) * wide;
            all.copyWithin(to + at * across + place * wide, row, row + wide);
          }
        }
        kernel.product(around, across, weights, bias, next + 4 * first * wide, count, across, wide);
      }
      for (let at = 0; at < size * wide; at++) if (all[sums + at] > 0) all[from + at] += all[sums + at];
    }
    kernel.product(states, wide, this.headWeights, this.headBias, scores, size, wide, this.columns);
    return scores;
  }
}

class Network {
  // `weights` are the bytes of all arrays, in the order of model.weights; `kernel` is a module.
  constructor(model, weights, kernel) {
    const instance = new WebAssembly.Instance(kernel);
    this.model = model;
    this.room = new Room(instance);
    const numbers = halves(weights), arrays = new Map();
    let first = 0;
    for (const [name, size] of model.weights) {
      arrays.set(name, numbers.subarray(first, first + size));
      first += size;
    }
    this.members = Array.from({ length: model.members }, (_, number) => {
      const own = model.members === 1 ? "" : `members.${number}.`;
      return new (model.network.kind === "conv" ? ConvMember : Member)(model, (name) => arrays.get(own + name), instance.exports, this.room);
    });
    this.room.keep();
  }

  // The outputs of sequences, each an Uint8Array of codes: for each one {target: Float32Array
  // (residue, size)}, logits or means of log-probabilities for classes, values as the network learned them.
  outputs(sequences) {
    const rows = this.packed(sequences);
    const parts = this.members.map((member) => {
      const found = member.scores(rows);
      return this.unpackedScores(this.room.floats(found, rows.size * member.columns), member.columns, sequences, rows);
    });
    this.room.reset();
    return parts.length === 1 ? parts[0] : sequences.map((_, at) => this.mean(parts.map((part) => part[at])));
  }

  // Rows as in grubio/model/engines/packed_rows.py, and the order in which each direction reads them.
  packed(sequences) {
    const order = sequences.map((_, at) => at).sort((a, b) => sequences[b].length - sequences[a].length || a - b);
    const lengths = order.map((at) => sequences[at].length), steps = lengths[0];
    const counts = new Int32Array(steps), starts = new Int32Array(steps + 1);
    for (const length of lengths) for (let step = 0; step < length; step++) counts[step]++;
    for (let step = 0; step < steps; step++) starts[step + 1] = starts[step] + counts[step];
    const size = starts[steps], reach = this.model.network.width >> 1;
    const codes = new Uint8Array(size + reach * (sequences.length + 1)).fill(this.model.pad);
    const windows = new Int32Array(size), stepOf = new Int32Array(size), forwards = new Int32Array(size), backwards = new Int32Array(size);
    let place = 0;
    order.forEach((at, column) => {
      const own = sequences[at];
      codes.set(own, place + reach);
      for (let step = 0; step < own.length; step++) {
        const row = starts[step] + column;
        windows[row] = place + step;
        stepOf[row] = step;
        forwards[row] = row;
        backwards[row] = starts[own.length - 1 - step] + column;
      }
      place += own.length + reach;
    });
    const { room } = this;
    return { size, steps, lengths, stepOf, most: sequences.length, order, starts, counts: room.put(counts), codes: room.put(codes),
      windows: room.put(windows), orders: [room.put(forwards), room.put(backwards)] };
  }

  unpackedScores(scores, columns, sequences, rows) {
    const found = new Array(sequences.length);
    rows.order.forEach((at, column) => {
      const size = sequences[at].length, own = {};
      let first = 0;
      for (const target of this.model.targets) {
        const output = new Float32Array(size * target.size);
        for (let step = 0, to = 0; step < size; step++) {
          const from = (rows.starts[step] + column) * columns + first;
          for (let k = 0; k < target.size; k++) output[to++] = scores[from + k];
        }
        first += target.size;
        own[target.name] = outputOf(this.model, target, output);
      }
      found[at] = own;
    });
    return found;
  }

  mean(parts) {
    const found = {};
    for (const target of this.model.targets) {
      const own = parts.map((part) => part[target.name]);
      if (target.spread) found[target.name] = mixture(own);
      else {
        if (target.classes) own.forEach((logits) => logSoftmax(logits, target.size));
        found[target.name] = own[0].map((_, at) => own.reduce((sum, one) => sum + one[at], 0) / own.length);
      }
    }
    return found;
  }
}

// What grubio/model/outputs.py makes of the scores of a head.
function outputOf(model, target, scores) {
  if (target.classes) return scores;
  if (target.spread) {
    const limit = model.largestLogDeviation;
    for (let at = 1; at < scores.length; at += 2) scores[at] = limit * Math.tanh(scores[at] / limit);
  } else if (target.bounded) {
    for (let at = 0; at < scores.length; at++) scores[at] = 0.5 * Math.tanh(0.5 * scores[at]) + 0.5;
  }
  return scores;
}

function logSoftmax(scores, size) {
  for (let at = 0; at < scores.length; at += size) {
    const row = scores.subarray(at, at + size), most = Math.max(...row);
    let sum = 0;
    for (const one of row) sum += Math.exp(one - most);
    for (let k = 0; k < size; k++) row[k] -= most + Math.log(sum);
  }
}

function mixture(parts) {
  const found = new Float32Array(parts[0].length), members = parts.length;
  for (let at = 0; at < found.length; at += 2) {
    let mean = 0, variance = 0;
    for (const part of parts) mean += part[at] / members;
    for (const part of parts) variance += (Math.exp(2 * part[at + 1]) + (part[at] - mean) ** 2) / members;
    found[at] = mean;
    found[at + 1] = Math.log(variance) / 2;
  }
  return found;
}

// The output for a target as probabilities, or as values in the user's unit: `_in_units` of
// grubio/inference/predictor.py.
function inUnits(target, output) {
  const found = new Float32Array(output.length);
  if (!target.classes) {
    const width = target.spread ? 2 : 1;
    for (let at = 0; at < output.length; at += width) {
      found[at] = target.start + target.unit * output[at];
      if (target.spread) found[at + 1] = Math.exp(output[at + 1]) * target.deviationUnit;
    }
    return found;
  }
  const { size, temperature, offsets } = target;
  for (let at = 0; at < output.length; at += size) {
    let most = -Infinity, sum = 0;
    for (let k = 0; k < size; k++) {
      found[at + k] = output[at + k] / temperature + (offsets.length ? offsets[k] : 0);
      most = Math.max(most, found[at + k]);
    }
    for (let k = 0; k < size; k++) sum += found[at + k] = Math.exp(found[at + k] - most);
    for (let k = 0; k < size; k++) found[at + k] /= sum;
  }
  return found;
}
