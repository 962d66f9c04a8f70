import { expect, test } from "vitest";
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "../../src/util/half.js";

const allWords = Uint16Array.from({ length: 65536 }, (_, i) => i);

test("known binary16 values", () => {
  const words = Uint16Array.of(
    0x0000,
    0x8000,
    0x3c00,
    0xc000,
    0x7bff,
    0x0001,
    0x03ff,
    0x0400,
    0x7c00,
    0xfc00,
    0x3555,
  );
  const values = [
    0,
    -0,
    1,
    -2,
    65504,
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    Infinity,
    -Infinity,
    0.333251953125,
  ];
  expect([...float16ToFloat32(words)]).toEqual(values);
  expect([...float16ToFloat32(Uint16Array.of(0x7e00))]).toEqual([NaN]);
});

test("every binary16 word survives both ways", () => {
  const back = float32ToFloat16(float16ToFloat32(allWords));
  const wrong = allWords.filter((word, i) => (word & 0x7fff) <= 0x7c00 && back[i] !== word);
  expect([...wrong]).toEqual([]);
});

test("binary16 rounds to nearest with ties to even, and overflows to infinity", () => {
  const values = float16ToFloat32(allWords.subarray(0, 0x7c00));
  for (let i = 0; i + 1 < values.length; i++) {
    const [low = 0, high = 0] = values.subarray(i, i + 2);
    const middle = (low + high) / 2;
    const step = (high - low) / 8;
    const even = i % 2 === 0 ? i : i + 1;
    const words = float32ToFloat16(Float32Array.of(middle, middle - step, middle + step));
    if (words[0] !== even || words[1] !== i || words[2] !== i + 1)
      expect([i, ...words]).toEqual([i, even, i, i + 1]);
  }
  expect([...float32ToFloat16(Float32Array.of(65519.99, 65520, -1e30, NaN, 1e-30))]).toEqual([
    0x7bff, 0x7c00, 0xfc00, 0x7e00, 0,
  ]);
});

test("bfloat16 is the upper half of a float32, rounded to even", () => {
  const back = float32ToBfloat16(bfloat16ToFloat32(allWords));
  const wrong = allWords.filter((word, i) => (word & 0x7fff) <= 0x7f80 && back[i] !== word);
  expect([...wrong]).toEqual([]);
  expect([...float32ToBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, NaN))]).toEqual([
    0x3f80, 0x3f82, 0x7f80, 0x7fc0,
  ]);
});
