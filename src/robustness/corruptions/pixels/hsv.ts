/**
 * Changes the saturation and value of every pixel, in place. Colours are converted to HSV (the hexcone model,
 * with hue, saturation and value from 0 to 1) and back.
 */
export function changeHsv(
  rgb: Float64Array,
  saturation: (s: number) => number,
  value: (v: number) => number,
): void {
  for (let i = 0; i < rgb.length; i += 3) {
    const [r, g, b] = [rgb[i]!, rgb[i + 1]!, rgb[i + 2]!];
    const max = Math.max(r, g, b);
    const range = max - Math.min(r, g, b);
    let hue = 0;
    if (range !== 0) {
      // If two channels are equal to `max`, blue takes precedence over green, and green over red.
      if (b === max) hue = 4 + (r - g) / range;
      else if (g === max) hue = 2 + (b - r) / range;
      else hue = (g - b) / range;
      hue /= 6;
      if (hue < 0) hue += 1;
    }
    const s = saturation(range === 0 ? 0 : range / max);
    const v = value(max);
    const sector = Math.floor(hue * 6);
    const f = hue * 6 - sector;
    const p = v * (1 - s);
    const q = v * (1 - f * s);
    const t = v * (1 - (1 - f) * s);
    switch (sector % 6) {
      case 0:
        [rgb[i], rgb[i + 1], rgb[i + 2]] = [v, t, p];
        break;
      case 1:
        [rgb[i], rgb[i + 1], rgb[i + 2]] = [q, v, p];
        break;
      case 2:
        [rgb[i], rgb[i + 1], rgb[i + 2]] = [p, v, t];
        break;
      case 3:
        [rgb[i], rgb[i + 1], rgb[i + 2]] = [p, q, v];
        break;
      case 4:
        [rgb[i], rgb[i + 1], rgb[i + 2]] = [t, p, v];
        break;
      default:
        [rgb[i], rgb[i + 1], rgb[i + 2]] = [v, p, q];
    }
  }
}
