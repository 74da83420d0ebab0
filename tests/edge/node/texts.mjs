// Texts as `tokens` and `grams`, by the definitions in the manifest of a file, for any JavaScript.
const POINTS = /[\s\S]/gu;

const points = (text) => text.match(POINTS) ?? [];

// UTF-8, half a surrogate pair as three bytes like any other character of its size.
function bytes(text) {
  const found = [];
  for (const letter of points(text)) {
    const code = letter.codePointAt(0);
    if (code < 0x80) found.push(code);
    else if (code < 0x800) found.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) found.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else found.push(0xf0 | (code >> 18), ...[12, 6, 0].map((shift) => 0x80 | ((code >> shift) & 63)));
  }
  return found;
}

const CRC = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function number(kind, text) {
  let crc = 0xffffffff;
  for (const byte of bytes(text)) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return kind * 2 ** 30 + ((crc ^ 0xffffffff) >>> 2);
}

// The regular expression stands behind the last blank of its definition; \UXXXXXXXX is written \u{X} here.
function expression(steps) {
  const { definition } = steps.find((step) => step.name === "pieces");
  const pattern = definition.slice(definition.indexOf("runs of blanks. ") + "runs of blanks. ".length);
  return new RegExp(pattern.replace(/\\U0*([0-9a-fA-F]+)/g, "\\u{$1}"), "gu");
}

// The first 4,000 characters, then what follows; in 15 windows of 4,000 where that is more.
function windowed(letters) {
  const rest = letters.length - 4000, whole = rest <= 60000;
  const starts = whole ? [4000] : Array.from({ length: 15 }, (_, at) => 4000 + Math.floor((at * (rest - 4000)) / 14));
  const windows = starts.map((start) => letters.slice(start, whole ? letters.length : start + 4000));
  return [letters.slice(0, 4000), ...(rest > 0 ? windows : [])];
}

export function reader(settings, steps) {
  const piece = expression(steps);
  const blanks = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
  const place = new Map(settings.grams.map((gram, at) => [gram, at + 1]));
  const other = settings.grams.length + 1;

  // Tokens by the bytes they stand for: a merge that makes the bytes of another token is that token.
  const texts = ["", ...Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))];
  const known = new Map(texts.map((text, token) => [text, token]));
  const merged = new Map();
  settings.merges.forEach(([left, right], rank) => {
    const text = texts[left] + texts[right];
    if (!known.has(text)) known.set(text, texts.push(text) - 1);
    merged.set(left * 2 ** 20 + right, [rank, known.get(text)]);
  });

  function encode(text) {
    const tokens = bytes(text).map((byte) => byte + 1);
    for (;;) {
      let urgent = null;
      for (let at = 0; at + 1 < tokens.length; at++) {
        const pair = merged.get(tokens[at] * 2 ** 20 + tokens[at + 1]);
        if (pair && (!urgent || pair[0] < urgent[0])) urgent = [...pair, at];
      }
      if (!urgent) return tokens;
      tokens.splice(urgent[2], 2, urgent[1]);
    }
  }

  function ofWord(word) {
    const edged = `<${word.toLowerCase()}>`, apart = edged.normalize("NFD");
    const runs = new Set();
    const add = (letters, shortest, longest) => {
      for (let size = shortest; size <= longest; size++)
        for (let at = 0; at + size <= letters.length; at++) runs.add(letters.slice(at, at + size).join(""));
    };
    add(points(edged), 2, 5);
    if (apart !== edged) add(points(apart), 3, 6);
    return [number(1, edged), ...[...runs].map((run) => number(0, run))];
  }

  // [n-gram, its first word, its last word] of each in a text.
  function found(words) {
    const grams = words.flatMap((one, at) => ofWord(one).map((value) => [gram(value), at, at]));
    for (let at = 0; words.length && at <= words.length; at++) {
      const pair = [words[at - 1] ?? "", words[at] ?? ""].map((one) => one.toLowerCase()).join(" ");
      grams.push([gram(number(2, pair)), Math.max(at - 1, 0), Math.min(at, words.length - 1)]);
    }
    return grams;
  }

  const gram = (value) => place.get(value) ?? other + (value >= 2 ** 30 ? 1 : 0);

  return (text) => {
    const [first, ...windows] = windowed(points(text.normalize("NFC"))).map((one) => one.join("").match(piece) ?? []);
    const bare = (pieces) => pieces.map((one) => one.replace(blanks, "")).filter(Boolean);
    const words = bare(first), rest = windows.flatMap(bare), runs = rest.length ? 31 : 32;
    const part = words.map((_, at) => (words.length <= runs ? at : Math.floor((at * runs) / words.length)));
    const tokens = [];
    let word = -1;
    for (const one of first) {
      if (one.replace(blanks, "")) word++;
      for (const token of encode(one)) tokens.push([token, part[Math.max(word, 0)] ?? 0]);
    }
    const grams = found(words).map(([code, start, end]) => [code, part[start], part[end], 1]);
    const often = new Map();
    for (const [code] of found(rest)) often.set(code, (often.get(code) ?? 0) + 1);
    for (const [code, times] of often) grams.push([code, 31, 31, times]);
    return { tokens: tokens.length ? tokens : [[0, 0]], grams: grams.length ? grams : [[0, 0, 0, 0]] };
  };
}
