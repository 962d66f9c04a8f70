#!/bin/sh
# A person would expect a BMP decoder that is asked for RGBA to give RGBA whatever the depth of the file.
# Instead the option only counts for 24 and 32 bits: pictures with a palette (4 and 8 bits) come as alpha, blue, green, red, as
# without the option, and no error says so.
# Seen with bmp-ts 1.0.9 (the decoder in jimp), Linux x64.
# It matters for old data sets of textures and faces, which are 8-bit BMP: red and blue change places and opacity becomes a
# colour, which a grey picture hides (all three are equal) and a coloured one does not. A picture of 24 bits tests fine.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts bmp-ts@1.0.9 > npm.log
cat > run.mjs <<'END'
import { readFileSync } from "node:fs";
import { decode } from "bmp-ts";

/** One pixel of red 200, green 100, blue 50: the palette's first colour, or blue, green, red as they are. */
function bmp(bits) {
  const colours = bits <= 8 ? 2 ** bits : 0;
  const start = 54 + 4 * colours;
  const file = Buffer.alloc(start + 4);
  file.write("BM", "latin1");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(start, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(1, 18);
  file.writeInt32LE(1, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(bits, 28);
  file.writeUInt32LE(4, 34);
  file.writeUInt32LE(colours, 46);
  file.set([50, 100, 200], colours > 0 ? 54 : start);
  if (bits === 32) file[start + 3] = 255;
  return file;
}

const { version } = JSON.parse(readFileSync("node_modules/bmp-ts/package.json", "utf8"));
console.log(`bmp-ts ${version}, ${process.platform} ${process.arch}`);
const found = {};
for (const bits of [4, 8, 24, 32]) {
  found[bits] = [...decode(bmp(bits), { toRGBA: true }).data].join(" ");
  console.log(`${bits} bits, asked for RGBA of red 200, green 100, blue 50: ${found[bits]}`);
}
const isRgba = (bits) => found[bits].startsWith("200 100 50");
const isAbgr = (bits) => found[bits].endsWith("50 100 200");
const same = isAbgr(4) && isAbgr(8) && isRgba(24) && isRgba(32);
console.log(same ? "as recorded" : "CHANGED: recorded was blue, green, red for 4 and 8 bits, red, green, blue for 24 and 32");
process.exitCode = same ? 0 : 1;
END
node run.mjs
