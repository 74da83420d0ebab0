// node run.mjs MODEL.onnx: replays the file's own examples and prints the outputs as JSON.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { manifest, plain } from "./manifest.mjs";

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

const bytes = await readFile(process.argv[2]);
const { inputs } = manifest(bytes).goldens;
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
const feeds = {};
for (const wanted of session.inputMetadata) feeds[wanted.name] = tensor(inputs[wanted.name], wanted);
const outputs = await session.run(feeds);
console.log(JSON.stringify(Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, plain(value)]))));
