#!/bin/sh
# A person would expect the grey of a coloured pixel to be its luma, 0.299 red + 0.587 green + 0.114 blue, as in Pillow and
# torchvision, and to come near it with gamma(), which the page of greyscale() recommends for pictures in sRGB.
# Instead greyscale() and toColourspace("b-w") add the light itself (0.2126, 0.7152, 0.0722 of the linear values) and encode it
# again: red is 127 instead of 76, blue 76 instead of 29. With the recommended gamma() red is 185, and a pixel that is grey already
# changes from 128 to 126.
# Seen with sharp 0.35.5 (libvips 8.18.7), Linux x64.
# It matters for networks that were trained on grey pictures of Python: saturated colours are up to 70 grey levels off. Use
# recomb() with the three weights in each row and take one channel.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts sharp@0.35.5 > npm.log
cat > run.mjs <<'END'
import sharp from "sharp";

console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, ${process.platform} ${process.arch}`);
const weights = [0.299, 0.587, 0.114];
const ways = {
  "greyscale()": (image) => image.greyscale(),
  'toColourspace("b-w")': (image) => image.toColourspace("b-w"),
  "gamma().greyscale()": (image) => image.gamma().greyscale(),
};
const cases = [
  ["red", [255, 0, 0], "127 127 185"],
  ["green", [0, 255, 0], "220 220 238"],
  ["blue", [0, 0, 255], "76 76 147"],
  ["grey", [128, 128, 128], "128 128 126"],
];
let same = true;
for (const [name, pixel, recorded] of cases) {
  const found = [];
  for (const way of Object.values(ways)) {
    const image = sharp(Buffer.from(pixel), { raw: { width: 1, height: 1, channels: 3 } });
    found.push((await way(image).raw().toBuffer())[0]);
  }
  const luma = Math.round(weights.reduce((sum, weight, i) => sum + weight * pixel[i], 0));
  const words = Object.keys(ways).map((way, i) => `${way} ${found[i]}`);
  console.log(`${name}: luma ${luma}; ${words.join(", ")}`);
  same &&= found.join(" ") === recorded;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map((row) => row[2]).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
