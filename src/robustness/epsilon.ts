/**
 * Formats a radius on images in [0, 1] in the usual way, such as "0.5", "2/255" or "0.5/255", and otherwise
 * with four significant digits.
 */
export function showEpsilon(epsilon: number): string {
  if (Number(epsilon.toPrecision(3)) === epsilon) return String(epsilon);
  const quarters = epsilon * 255 * 4;
  const whole = Math.round(quarters);
  if (whole > 0 && Math.abs(quarters - whole) < 1e-6) return `${whole / 4}/255`;
  return String(Number(epsilon.toPrecision(4)));
}
