// node predict_texts.mjs MODEL.onnx TEXTS.json: what the file says of each text, and what it was given, as JSON.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { manifest, plain } from "./manifest.mjs";
import { reader } from "./texts.mjs";

const whole = (rows) => new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [1, rows.length, rows[0].length]);

const bytes = await readFile(process.argv[2]);
const { inputs, steps } = manifest(bytes);
const [[name, given]] = Object.entries(inputs);
const read = reader(given.settings, steps);
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
const answers = [];
for (const text of JSON.parse(await readFile(process.argv[3], "utf8"))) {
  const { tokens, grams } = read(text);
  const feeds = {
    [`${name}.tokens`]: whole(tokens),
    [`${name}.length`]: new ort.Tensor("int64", [BigInt(tokens.length)], [1]),
    [`${name}.grams`]: whole(grams),
    [`${name}.present`]: new ort.Tensor("bool", [text.trim() !== ""], [1]),
    explain: new ort.Tensor("bool", [false], []),
    about: new ort.Tensor("int64", [-1n], [1]),
  };
  const asked = Object.fromEntries(session.inputNames.map((input) => [input, feeds[input]]));
  const said = await session.run(asked);
  answers.push({ tokens, grams, ...Object.fromEntries(Object.entries(said).map(([key, value]) => [key, plain(value)])) });
}
console.log(JSON.stringify(answers));
