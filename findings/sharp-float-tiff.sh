#!/bin/sh
# A person would expect a TIFF of floats in 0 to 1, as microscopes, simulations and NumPy write them, to be shown with its greys
# or to be refused.
# Instead its raw pixels are all black, without an error: values are rounded down to whole bytes, so that 0.999 is 0, 7.9 is 7
# and 300 is 255. The metadata say "float", the samples that come out are bytes.
# Seen with sharp 0.35.5 (libvips 8.18.7), Linux x64.
# It matters because a whole data set of such pictures becomes black: a network trained or tested on it learns nothing, and
# nothing says why. Ask for `.raw({ depth: "float" })`, which gives the floats, and scale them yourself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts sharp@0.35.5 > npm.log
cat > run.mjs <<'END'
import sharp from "sharp";

// A TIFF of one row of 32-bit floats, without compression, little-endian.
const values = [0, 0.25, 0.5, 0.999, 1, 7.9, 300];
const entries = [
  [256, 3, values.length], // width
  [257, 3, 1], // height
  [258, 3, 32], // bits of a sample
  [259, 3, 1], // no compression
  [262, 3, 1], // black is zero
  [273, 4, 256], // where the pixels begin
  [277, 3, 1], // samples of a pixel
  [278, 3, 1], // rows in the strip
  [279, 4, 4 * values.length], // bytes in the strip
  [339, 3, 3], // samples are floats
];
const tiff = Buffer.alloc(256 + 4 * values.length);
tiff.write("II*\0", "latin1");
tiff.writeUInt32LE(8, 4);
tiff.writeUInt16LE(entries.length, 8);
entries.forEach(([tag, type, value], i) => {
  tiff.writeUInt16LE(tag, 10 + 12 * i);
  tiff.writeUInt16LE(type, 12 + 12 * i);
  tiff.writeUInt32LE(1, 14 + 12 * i);
  tiff.writeUInt32LE(value, 18 + 12 * i);
});
values.forEach((value, i) => tiff.writeFloatLE(value, 256 + 4 * i));

console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, ${process.platform} ${process.arch}`);
const { depth } = await sharp(tiff).metadata();
const bytes = await sharp(tiff).extractChannel(0).raw().toBuffer();
const raw = await sharp(tiff).extractChannel(0).raw({ depth: "float" }).toBuffer();
const floats = values.map((_, i) => raw.readFloatLE(4 * i));
console.log(`the file holds ${values.join(", ")}; its metadata say ${depth}`);
console.log(`raw gives           ${[...bytes].join(", ")}`);
console.log(`raw as floats gives ${floats.map((value) => Number(value.toPrecision(4))).join(", ")}`);
const exact = floats.every((value, i) => value === Math.fround(values[i]));
const same = depth === "float" && exact && [...bytes].join() === "0,0,0,0,1,7,255";
console.log(same ? "as recorded" : "CHANGED: recorded was 0, 0, 0, 0, 1, 7, 255, and the floats as they are");
process.exitCode = same ? 0 : 1;
END
node run.mjs
