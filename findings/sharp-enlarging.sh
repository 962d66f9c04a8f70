#!/bin/sh
# A person would expect an enlarged picture to stay in place: a pixel becomes a square of pixels around the same centre, as in
# Pillow, PyTorch and browsers. And four names of kernels to be four kernels.
# Instead everything moves right and down by half a pixel of the result, with every kernel but "nearest"; and enlarging with
# cubic, mitchell, lanczos2 or lanczos3 gives one and the same cubic (its page says so: they only differ when reducing).
# Seen with sharp 0.35.5 (libvips 8.18.7), Linux x64.
# It matters where pictures meet masks, gaze positions or receptive fields in pixels, or two programs prepare the same data.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts sharp@0.35.5 > npm.log
cat > run.mjs <<'END'
import { createHash } from "node:crypto";
import sharp from "sharp";

// One white pixel at column and row 16 of 32, four times as large: its centre belongs at (16 + 1/2) 4 - 1/2 = 65.5.
const spike = Buffer.alloc(32 * 32);
spike[16 * 32 + 16] = 255;
const raw = { width: 32, height: 32, channels: 1 };
console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, ${process.platform} ${process.arch}`);
const centres = {};
const pictures = {};
for (const kernel of ["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"]) {
  const large = sharp(spike, { raw }).resize(128, 128, { kernel, fit: "fill" }).extractChannel(0);
  const pixels = await large.raw().toBuffer();
  const total = pixels.reduce((sum, value) => sum + value, 0);
  const mean = (place) => pixels.reduce((sum, value, i) => sum + value * place(i), 0) / total;
  centres[kernel] = [mean((i) => i % 128), mean((i) => Math.floor(i / 128))];
  pictures[kernel] = createHash("sha256").update(pixels).digest("hex");
  console.log(`${kernel}: the pixel's centre is at column ${centres[kernel][0]}, row ${centres[kernel][1]} instead of 65.5`);
}
const cubics = ["cubic", "mitchell", "lanczos2", "lanczos3"];
const one = cubics.every((kernel) => pictures[kernel] === pictures.cubic);
console.log(`cubic, mitchell, lanczos2 and lanczos3 give the same picture: ${one}`);
const moved = ["linear", ...cubics].every((kernel) => centres[kernel].every((at) => Math.abs(at - 66) < 1e-3));
const same = one && moved && centres.nearest.every((at) => at === 65.5);
console.log(same ? "as recorded" : "CHANGED: recorded was 65.5 for nearest, 66 for the others, and true");
process.exitCode = same ? 0 : 1;
END
node run.mjs
# Pillow for comparison, if Debian's is there.
case $(dpkg-query -W -f '${Version}' python3-pil 2> /dev/null || true) in
  9.4.*) /usr/bin/python3 - <<'END' ;;
from PIL import Image, __version__
spike = Image.new("L", (32, 32))
spike.putpixel((16, 16), 255)
row = [sum(spike.resize((128, 128), Image.BICUBIC).crop((x, 0, x + 1, 128)).getdata()) for x in range(128)]
print(f"Pillow {__version__}, bicubic: {sum(x * v for x, v in enumerate(row)) / sum(row)}")
END
  *) echo "Pillow: not compared, python3-pil 9.4 is not here" ;;
esac
