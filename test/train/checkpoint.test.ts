import fc from "fast-check";
import { expect, test } from "vitest";
import {
  checkCheckpointTensors,
  checkpointTensors,
  decodeCheckpoint,
  encodeCheckpoint,
} from "../../src/train/run/checkpoint-format.js";
import type { Checkpoint } from "../../src/train/run/checkpoint-format.js";
import { StriateError } from "../../src/util/errors.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/util/safetensors.js";
import type { StoredTensor } from "../../src/util/safetensors.js";

const f32 = (shape: number[], ...values: number[]): StoredTensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(values),
});

const sample: Checkpoint = {
  step: 1200,
  epoch: 3,
  seed: 42,
  config: { model: { kernel: 13 }, name: "Straße" },
  tensors: new Map([
    ["param.conv.weight", f32([2, 1], 1, 2)],
    ["buffer.norm.mean", f32([1], 3)],
    ["optimizer.step", { dtype: "I64", shape: [], data: BigInt64Array.of(1200n) }],
    ["ema.conv.weight", f32([2, 1], 4, 5)],
  ]),
};

test("comes back as it was, and the same content gives the same bytes", () => {
  const bytes = encodeCheckpoint(sample);
  const back = decodeCheckpoint(bytes);
  expect({ ...back, tensors: 0 }).toEqual({ ...sample, tensors: 0 });
  expect(new Map([...back.tensors].sort())).toEqual(new Map([...sample.tensors].sort()));
  expect(encodeCheckpoint(back)).toEqual(bytes);
  expect(decodeSafetensors(bytes).metadata).toEqual({
    format: "striate-checkpoint",
    version: "1",
    step: "1200",
    epoch: "3",
    seed: "42",
    config: '{"model":{"kernel":13},"name":"Straße"}',
  });
});

test("one group's tensors by their own names", () => {
  expect([...checkpointTensors(sample, "param").keys()]).toEqual(["conv.weight"]);
  expect(checkpointTensors(sample, "ema").get("conv.weight")?.data).toEqual(Float32Array.of(4, 5));
});

test("a wrong file says what is wrong with its metadata", () => {
  const { tensors, metadata } = decodeSafetensors(encodeCheckpoint(sample));
  const decode = (changes: Record<string, string | undefined>): (() => unknown) => {
    const kept = Object.entries({ ...metadata, ...changes }).flatMap(([key, text]) => {
      return text === undefined ? [] : [[key, text] as const];
    });
    return () => decodeCheckpoint(encodeSafetensors(tensors, Object.fromEntries(kept)), "The checkpoint");
  };
  expect(decode({ format: undefined })).toThrow(
    /^The checkpoint is no Striate checkpoint: .*"striate-checkpoint"/,
  );
  expect(decode({ version: "2" })).toThrow(/version 2; this release reads 1/);
  expect(decode({ step: undefined })).toThrow(/lacks "step"/);
  expect(decode({ step: "-1" })).toThrow(/whole number as "step", found "-1"/);
  expect(decode({ seed: "9999999999999999" })).toThrow(/"seed"/);
  expect(decode({ config: "{" })).toThrow(/config in The checkpoint is not valid JSON/);
  expect(decode({ config: `${"[".repeat(50_000)}${"]".repeat(50_000)}` })).toThrow(/nested more than/);
  expect(decode({ config: undefined })).toThrow(/lacks "config"/);
  const foreign = encodeSafetensors(new Map([["weight", f32([1], 1)]]), metadata);
  expect(() => decodeCheckpoint(foreign)).toThrow(/tensor "weight" belongs to no group/);
});

test("what cannot be encoded is refused", () => {
  const other = (changes: Partial<Checkpoint>): (() => unknown) => {
    return () => encodeCheckpoint({ ...sample, ...changes });
  };
  expect(other({ step: 1.5 })).toThrow(/checkpoint: step: expected a whole number from 0 to \d+, got 1.5/);
  expect(other({ tensors: new Map([["param.", f32([1], 1)]]) })).toThrow(/"param\." belongs to no group/);
  expect(other({ config: { lr: NaN } })).toThrow(/config: "lr"/);
});

test("missing, left-over and misshapen tensors are named in one error", () => {
  const expected = [
    { name: "param.conv.weight", shape: [2, 1] },
    { name: "optimizer.step", shape: [], dtype: "I64" as const },
  ];
  checkCheckpointTensors(sample, expected);
  const problem = (list: typeof expected): (() => void) => {
    return () => {
      checkCheckpointTensors(sample, list, "step-1.safetensors");
    };
  };
  expect(problem([{ name: "param.conv.weight", shape: [1, 2] }])).toThrow(
    /^step-1.safetensors does not fit the model: "param.conv.weight": expected F32 \[1,2\], found F32 \[2,1\]\.$/,
  );
  expect(problem([...expected, { name: "param.conv.bias", shape: [2] }])).toThrow(
    /"param.conv.bias" \[2\] is missing/,
  );
  expect(problem([{ name: "optimizer.step", shape: [] }])).toThrow(/expected F32 \[\], found I64 \[\]/);
  expect(problem([{ name: "ema.other", shape: [] }])).toThrow(/"ema.conv.weight" is not in the model/);
  const many = Array.from({ length: 9 }, (_, i) => ({ name: `param.${i}`, shape: [1] }));
  expect(problem(many)).toThrow(/; and 6 more\.$/);
});

test("damaged bytes give a StriateError or a checkpoint, nothing else", () => {
  const bytes = encodeCheckpoint(sample);
  const damage = fc.record({
    bit: fc.nat({ max: bytes.length * 8 - 1 }),
    length: fc.nat({ max: bytes.length }),
  });
  fc.assert(
    fc.property(damage, ({ bit, length }) => {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      for (const hostile of [flipped, flipped.subarray(0, length)]) {
        try {
          decodeCheckpoint(hostile);
        } catch (error) {
          expect(error).toBeInstanceOf(StriateError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
