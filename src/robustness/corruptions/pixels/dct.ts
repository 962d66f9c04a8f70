/*
 * The 8 x 8 discrete cosine transform in integers, after Loeffler, Ligtenberg & Moschytz (1989), with
 * constants of 13 bits. This is the accurate variant that JPEG libraries share; the results are equal to
 * theirs in every bit.
 */
const BITS = 13;
const constantOf = (value: number): number => Math.round(value * 2 ** BITS);

const K0298 = constantOf(0.298631336);
const K0390 = constantOf(0.390180644);
const K0541 = constantOf(0.5411961);
const K0765 = constantOf(0.765366865);
const K0899 = constantOf(0.899976223);
const K1175 = constantOf(1.175875602);
const K1501 = constantOf(1.50132111);
const K1847 = constantOf(1.847759065);
const K1961 = constantOf(1.96157056);
const K2053 = constantOf(2.053119869);
const K2562 = constantOf(2.562915447);
const K3072 = constantOf(3.072711026);

const imul = Math.imul;

/** Transforms samples, in place, to coefficients multiplied by 8. */
export function forwardDct(block: Int32Array): void {
  for (let row = 0; row < 64; row += 8) forwardLine(block, row, 1, true);
  for (let column = 0; column < 8; column++) forwardLine(block, column, 8, false);
}

function forwardLine(block: Int32Array, at: number, by: number, first: boolean): void {
  const g0 = block[at]!;
  const g1 = block[at + by]!;
  const g2 = block[at + 2 * by]!;
  const g3 = block[at + 3 * by]!;
  const g4 = block[at + 4 * by]!;
  const g5 = block[at + 5 * by]!;
  const g6 = block[at + 6 * by]!;
  const g7 = block[at + 7 * by]!;
  const a = g0 + g7 + (g3 + g4);
  const b = g0 + g7 - (g3 + g4);
  const c = g1 + g6 + (g2 + g5);
  const e = g1 + g6 - (g2 + g5);
  const bits = first ? 11 : 15;
  const half = 1 << (bits - 1);
  block[at] = first ? (a + c) << 2 : (a + c + 2) >> 2;
  block[at + 4 * by] = first ? (a - c) << 2 : (a - c + 2) >> 2;
  const z = imul(e + b, K0541);
  block[at + 2 * by] = (z + imul(b, K0765) + half) >> bits;
  block[at + 6 * by] = (z - imul(e, K1847) + half) >> bits;

  // The odd part uses the differences q3, q2, q1, q0 of opposite samples.
  const q0 = g3 - g4;
  const q1 = g2 - g5;
  const q2 = g1 - g6;
  const q3 = g0 - g7;
  const z5 = imul(q0 + q2 + (q1 + q3), K1175);
  const z1 = -imul(q0 + q3, K0899);
  const z2 = -imul(q1 + q2, K2562);
  const z3 = z5 - imul(q0 + q2, K1961);
  const z4 = z5 - imul(q1 + q3, K0390);
  block[at + 7 * by] = (imul(q0, K0298) + z1 + z3 + half) >> bits;
  block[at + 5 * by] = (imul(q1, K2053) + z2 + z4 + half) >> bits;
  block[at + 3 * by] = (imul(q2, K3072) + z2 + z3 + half) >> bits;
  block[at + by] = (imul(q3, K1501) + z1 + z4 + half) >> bits;
}

/** Transforms dequantised coefficients to samples, in place. */
export function inverseDct(block: Int32Array): void {
  for (let column = 0; column < 8; column++) inverseLine(block, column, 8, 11);
  for (let row = 0; row < 64; row += 8) inverseLine(block, row, 1, 18);
}

function inverseLine(block: Int32Array, at: number, by: number, bits: number): void {
  const g0 = block[at]!;
  const q3 = block[at + by]!;
  const g2 = block[at + 2 * by]!;
  const q2 = block[at + 3 * by]!;
  const g4 = block[at + 4 * by]!;
  const q1 = block[at + 5 * by]!;
  const g6 = block[at + 6 * by]!;
  const q0 = block[at + 7 * by]!;
  const half = 1 << (bits - 1);
  const z = imul(g2 + g6, K0541);
  const t2 = z - imul(g6, K1847);
  const t3 = z + imul(g2, K0765);
  const t0 = (g0 + g4) << BITS;
  const t1 = (g0 - g4) << BITS;
  const a0 = t0 + t3 + half;
  const a3 = t0 - t3 + half;
  const a1 = t1 + t2 + half;
  const a2 = t1 - t2 + half;

  const z5 = imul(q0 + q2 + (q1 + q3), K1175);
  const z1 = -imul(q0 + q3, K0899);
  const z2 = -imul(q1 + q2, K2562);
  const z3 = z5 - imul(q0 + q2, K1961);
  const z4 = z5 - imul(q1 + q3, K0390);
  const r0 = imul(q0, K0298) + z1 + z3;
  const r1 = imul(q1, K2053) + z2 + z4;
  const r2 = imul(q2, K3072) + z2 + z3;
  const r3 = imul(q3, K1501) + z1 + z4;
  block[at] = (a0 + r3) >> bits;
  block[at + by] = (a1 + r2) >> bits;
  block[at + 2 * by] = (a2 + r1) >> bits;
  block[at + 3 * by] = (a3 + r0) >> bits;
  block[at + 4 * by] = (a3 - r0) >> bits;
  block[at + 5 * by] = (a2 - r1) >> bits;
  block[at + 6 * by] = (a1 - r2) >> bits;
  block[at + 7 * by] = (a0 - r3) >> bits;
}
