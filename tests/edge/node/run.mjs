// node run.mjs MODEL.onnx: replays the file's own examples and prints the outputs as JSON.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";

const MADE = {
  float32: (flat) => Float32Array.from(flat, (value) => value ?? NaN),
  float64: (flat) => Float64Array.from(flat, (value) => value ?? NaN),
  int64: (flat) => BigInt64Array.from(flat, BigInt),
  int32: (flat) => Int32Array.from(flat),
  uint8: (flat) => Uint8Array.from(flat),
  uint16: (flat) => Uint16Array.from(flat),
  bool: (flat) => Uint8Array.from(flat, Number),
  string: (flat) => flat.map((value) => value ?? ""),
};

function shape(nested) {
  return Array.isArray(nested) ? [nested.length, ...(nested.length ? shape(nested[0]) : [])] : [];
}

function tensor(nested, { type, shape: axes }) {
  const flat = [nested].flat(Infinity);
  const dims = shape(nested);
  // An empty list does not tell the axes after it.
  while (dims.length < axes.length) dims.push(typeof axes[dims.length] === "number" ? axes[dims.length] : 0);
  return new ort.Tensor(type, MADE[type](flat), dims);
}

function plain({ type, data, dims }) {
  const values = Array.from(data, (value) =>
    typeof value === "bigint" ? Number(value) : type === "bool" ? Boolean(value) : Number.isNaN(value) ? null : value,
  );
  return { type, dims, data: values };
}

// The manifest is the value of metadata_props "learnt" (ModelProto field 14): this runtime has no call for it.
function manifest(bytes) {
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  const fields = function* (stop) {
    while (at < stop) {
      const tag = number();
      if ((tag & 7) === 0) yield [tag >> 3, number()];
      else {
        const size = (tag & 7) === 2 ? number() : (tag & 7) === 1 ? 8 : 4;
        const start = at;
        yield [tag >> 3, [start, start + size]];
        at = start + size;
      }
    }
  };
  for (const [field, span] of fields(bytes.length)) {
    if (field !== 14) continue;
    at = span[0];
    const texts = [];
    for (const [, [start, stop]] of fields(span[1])) texts.push(bytes.subarray(start, stop).toString("utf8"));
    if (texts[0] === "learnt") return JSON.parse(texts[1]);
  }
  throw new Error("no manifest");
}

const bytes = await readFile(process.argv[2]);
const { inputs } = manifest(bytes).goldens;
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
const feeds = {};
for (const wanted of session.inputMetadata) feeds[wanted.name] = tensor(inputs[wanted.name], wanted);
const outputs = await session.run(feeds);
console.log(JSON.stringify(Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, plain(value)]))));
