import type { RgbImage } from "../data/images/rgb-image.js";

/**
 * Glyphs of 5 x 7 pixels for capitals, digits and a few signs: seven rows each, one base-32 digit (five bits) per row.
 */
// prettier-ignore
const GLYPHS: Readonly<Record<string, string>> = {
  A: "ehhvhhh", B: "uhhuhhu", C: "ehggghe", D: "uhhhhhu", E: "vgguggv", F: "vgguggg",
  G: "ehgnhhf", H: "hhhvhhh", I: "e44444e", J: "72222ic", K: "hikokih", L: "ggggggv",
  M: "hrllhhh", N: "hhpljhh", O: "ehhhhhe", P: "uhhuggg", Q: "ehhhlid", R: "uhhukih",
  S: "fgge11u", T: "v444444", U: "hhhhhhe", V: "hhhhha4", W: "hhhllla", X: "hha4ahh",
  Y: "hhha444", Z: "v1248gv", "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he",
  "4": "26aiv22", "5": "vgu11he", "6": "68guhhe", "7": "v124888", "8": "ehhehhe", "9": "ehhf12c",
  ".": "00000cc", "-": "000v000", "/": "01248g0", "(": "2488842", ")": "8422248", ":": "0cc0cc0",
  ",": "0000cc8", "%": "op248j3",
};

const [WIDTH, HEIGHT, GAP] = [5, 7, 1] as const;

/** The width and height in pixels of a line of text. */
export function textSize(text: string, scale: number): { readonly width: number; readonly height: number } {
  return { width: Math.max(0, text.length * (WIDTH + GAP) - GAP) * scale, height: HEIGHT * scale };
}

/**
 * Writes a text into an image, in capitals, with its upper left corner at (x, y), clipped to the image. A pixel of the
 * font is `scale` pixels wide. Characters without a glyph become a space.
 */
export function drawText(
  image: RgbImage,
  text: string,
  x: number,
  y: number,
  scale: number,
  grey: number,
): void {
  Array.from(text.toUpperCase()).forEach((character, i) => {
    const rows = GLYPHS[character] ?? "0000000";
    const left = x + i * (WIDTH + GAP) * scale;
    for (let row = 0; row < HEIGHT; row++) {
      const bits = parseInt(rows[row]!, 32);
      for (let column = 0; column < WIDTH; column++) {
        if (((bits >> (WIDTH - 1 - column)) & 1) === 0) continue;
        fillSquare(image, left + column * scale, y + row * scale, scale, grey);
      }
    }
  });
}

function fillSquare(image: RgbImage, left: number, top: number, side: number, grey: number): void {
  const [from, to] = [Math.max(left, 0), Math.min(left + side, image.width)];
  if (from >= to) return;
  for (let y = Math.max(top, 0); y < Math.min(top + side, image.height); y++) {
    image.data.fill(grey, (y * image.width + from) * 3, (y * image.width + to) * 3);
  }
}
