// What a file says of itself, and tensors as JSON.
export function plain({ type, data, dims }) {
  const values = Array.from(data, (value) =>
    typeof value === "bigint" ? Number(value) : type === "bool" ? Boolean(value) : Number.isNaN(value) ? null : value,
  );
  return { type, dims, data: values };
}

// The manifest is the value of metadata_props "learnt" (ModelProto field 14): this runtime has no call for it.
export function manifest(bytes) {
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
