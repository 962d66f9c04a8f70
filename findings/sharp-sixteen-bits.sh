#!/bin/sh
# A person would expect raw({ depth: "ushort" }) to give the numbers of a picture of 16 bits, and raw({ depth: "float" }) those of
# floats. The page of raw shows it for the alpha channel of a PNG, with toColourspace("b-w") in between.
# Instead the picture is first reduced to 8 bits: 1000 of 65535 comes out as 3, in two bytes; the example of that page gives 116
# for an alpha of 30000; 1000.5 that goes in as a Float32Array comes out as 3. Only toColourspace("rgb16") or ("grey16") keeps the
# 16 bits (of floats the whole part), and info.depth says the same in both cases.
# Seen with sharp 0.35.5 (libvips 8.18.7), Linux x64.
# It matters for depth maps, microscopy and stimuli of 10 to 16 bits: 65536 levels become 256, and the type hides it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts sharp@0.35.5 fast-png@8.0.0 > npm.log
cat > run.mjs <<'END'
import { encode } from "fast-png";
import sharp from "sharp";

console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, ${process.platform} ${process.arch}`);
const data = new Uint16Array([1000, 256, 40000, 30000]);
const png = Buffer.from(encode({ width: 2, height: 1, channels: 2, depth: 16, data }));
const floats = new Float32Array([0.25, 255, 1000.5]);
const raw = { width: 3, height: 1, channels: 1 };
async function read(image, depth, Numbers) {
  const { data: bytes, info } = await image.raw({ depth }).toBuffer({ resolveWithObject: true });
  const numbers = new Numbers(bytes.buffer, bytes.byteOffset, bytes.length / Numbers.BYTES_PER_ELEMENT);
  return `${numbers.join(" ")} (${info.depth})`;
}
const cases = [
  ["grey 1000 and 40000, ushort", sharp(png).removeAlpha().extractChannel(0), "ushort", Uint16Array, "3 156 (ushort)"],
  [
    "the same with grey16 before",
    sharp(png).removeAlpha().extractChannel(0).toColourspace("grey16"),
    ...["ushort", Uint16Array, "1000 40000 (ushort)"],
  ],
  [
    "alpha 256 and 30000, the page's example",
    sharp(png).ensureAlpha().extractChannel(3).toColourspace("b-w"),
    ...["ushort", Uint16Array, "0 116 (ushort)"],
  ],
  [
    "floats 0.25, 255, 1000.5, float",
    sharp(floats, { raw }).extractChannel(0),
    ...["float", Float32Array, "0 0 3 (float)"],
  ],
  [
    "the same with grey16 before",
    sharp(floats, { raw }).extractChannel(0).toColourspace("grey16"),
    ...["float", Float32Array, "0 255 1000 (float)"],
  ],
];
let same = true;
for (const [what, image, depth, Numbers, recorded] of cases) {
  const found = await read(image, depth, Numbers);
  console.log(`${what}: ${found}`);
  same &&= found === recorded;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map((row) => row[4]).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
