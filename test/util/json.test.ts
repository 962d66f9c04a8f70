import fc from "fast-check";
import { expect, test } from "vitest";
import { firstDifference, parseStrictJson, toJson } from "../../src/util/json.js";
import type { Json } from "../../src/util/json.js";

test("accepts exactly the JSON that has no duplicate keys", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "binary" }), fc.constantFrom(0, 2), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      expect(parseStrictJson(spaced, "x")).toEqual(JSON.parse(text));
    }),
  );
  for (const text of [
    '{"a":1,"a":2}',
    '[{"b":{"\\u0061":1,"a":2}}]',
    '{"a":{"a":1},"b":[{},"a"],"a":[]}',
    '{"":1,"":1}',
  ]) {
    expect(() => parseStrictJson(text, "The header")).toThrow(/^The header has the key ".?" twice/);
  }
  expect(parseStrictJson('{"a":{"a":"a,\\"a"},"b":["a","a",{"a":1}]}', "x")).toEqual(
    JSON.parse('{"a":{"a":"a,\\"a"},"b":["a","a",{"a":1}]}'),
  );
  expect(() => parseStrictJson("{", "The header")).toThrow(/^The header is not valid JSON/);
});

test("names the path of what JSON would lose", () => {
  expect(toJson({ a: [1, { b: "x", c: undefined }], d: null }, "config")).toEqual({
    a: [1, { b: "x" }],
    d: null,
  });
  expect(() => toJson({ a: [1, { b: NaN }] }, "The config")).toThrow(
    /^The config: "a\[1\]\.b" is not plain JSON.*NaN/,
  );
  expect(() => toJson({ a: new Map() }, "c")).toThrow(/Map/);
  expect(() => toJson({ a: () => 1 }, "c")).toThrow(/function/);
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  expect(() => toJson(circular, "The config")).toThrow(/^The config is nested more than 200 levels/);
});

test("finds the first key that differs, whatever the order of keys", () => {
  const one: Json = { model: { sizes: [1, 2], kernel: 13 }, seed: 1 };
  expect(firstDifference(one, { seed: 1, model: { kernel: 13, sizes: [1, 2] } })).toBeUndefined();
  expect(firstDifference(one, { model: { sizes: [1, 3], kernel: 13 }, seed: 2 })).toEqual({
    path: "model.sizes[1]",
    expected: 2,
    found: 3,
  });
  expect(firstDifference(one, { ...one, extra: true })).toEqual({
    path: "extra",
    expected: undefined,
    found: true,
  });
  expect(firstDifference({ a: [] }, { a: {} })?.path).toBe("a");
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const left = toJson(a, "a");
      const right = toJson(b, "b");
      expect(firstDifference(left, toJson(structuredClone(a), "a"))).toBeUndefined();
      const equal = firstDifference(left, right) === undefined;
      expect(equal).toBe(firstDifference(right, left) === undefined);
    }),
  );
});
