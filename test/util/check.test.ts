import { describe, expect, it } from "vitest";
import {
  checkAtLeast,
  checkBetween,
  checkEveryFinite,
  checkEveryWhole,
  checkFinite,
  checkHalfOpen,
  checkKeys,
  checkLength,
  checkMultiple,
  checkOdd,
  checkOneOf,
  checkPixels,
  checkPositive,
  checkShape,
  checkSizes,
  checkSlice,
  checkSome,
  checkTensor,
  checkWhole,
} from "../../src/util/check.js";
import { StriateError, counted } from "../../src/util/errors.js";

/** What a check says, undefined if it passes. */
function said(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(StriateError);
    return (error as Error).message;
  }
}

describe("checks", () => {
  it("pass what is right", () => {
    checkWhole("n", 1);
    checkWhole("n", 0, { from: 0 });
    checkWhole("n", 5, { from: 2, to: 5 });
    checkFinite("x", -1e9);
    checkPositive("x", 1e-9);
    checkBetween("x", 1, 0, 1);
    checkOneOf("mode", "a", ["a", "b"]);
    checkKeys("options", { a: 1 }, ["a", "b"]);
    checkWhole("n", -3, { from: -Infinity });
    checkEveryWhole("labels", new Uint8Array([0, 9]), { from: 0, to: 9 });
    checkEveryFinite("x", [-1, 0.5]);
    checkSizes("image", { height: 1, width: 2 });
    checkSlice("rows", 0, 0, 0);
    checkSlice("rows", 1, 3, 3);
    checkAtLeast("x", 0, 0);
    checkHalfOpen("x", 0, 0, 1);
    checkOneOf("depth", 18, [18, 34]);
    checkSome("grid", 1, "image");
    checkLength("data", new Float32Array(2), 2);
    checkShape("images", ["N", 3, 8, 8], ["batch", 3, 8, "width"]);
    checkShape("scalar", [], []);
    checkPixels("mask", { width: 3, height: 2 }, 3, 2);
    checkSizes("stages", { channels: [1, 2] });
    checkOdd("kernel", 3);
    checkMultiple("channels", 6, 3);
    checkTensor("x", { dtype: "float32", shape: ["N", 3] }, "float32", ["batch", 3]);
  });

  it("say what was expected and what came", () => {
    expect(
      said(() => {
        checkWhole("n", 0);
      }),
    ).toBe("n: expected a whole number of at least 1, got 0");
    expect(
      said(() => {
        checkWhole("n", 6, { from: 0, to: 5 });
      }),
    ).toBe("n: expected a whole number from 0 to 5, got 6");
    expect(
      said(() => {
        checkWhole("n", 1.5);
      }),
    ).toContain("got 1.5");
    expect(
      said(() => {
        checkWhole("n", "3" as unknown as number);
      }),
    ).toContain('got "3"');
    expect(
      said(() => {
        checkFinite("x", NaN);
      }),
    ).toBe("x: expected a finite number, got NaN");
    expect(
      said(() => {
        checkFinite("x", "1" as unknown as number);
      }),
    ).toBe('x: expected a finite number, got "1"');
    expect(
      said(() => {
        checkPositive("x", 0);
      }),
    ).toBe("x: expected a number above 0, got 0");
    expect(
      said(() => {
        checkPositive("x", Infinity);
      }),
    ).toContain("got Infinity");
    expect(
      said(() => {
        checkBetween("x", NaN, 0, 1);
      }),
    ).toBe("x: expected a number from 0 to 1, got NaN");
    expect(
      said(() => {
        checkOneOf("mode", "c", ["a", "b"]);
      }),
    ).toBe('mode: expected one of a, b, got "c"');
    expect(
      said(() => {
        checkKeys("options", { stride: 1 }, ["strides"]);
      }),
    ).toBe('options: unknown option "stride": expected one of strides (did you mean strides?)');
    expect(
      said(() => {
        checkKeys("options", null as unknown as object, []);
      }),
    ).toBe("options: expected an object, got null");
  });

  it.each<[() => void, string]>([
    [
      () => {
        checkWhole("n", 0.5, { from: -Infinity });
      },
      "n: expected a whole number, got 0.5",
    ],
    [
      () => {
        checkEveryWhole("labels", [0, 1, 10], { from: 0, to: 9 });
      },
      "labels: expected whole numbers from 0 to 9, got 10 at position 2",
    ],
    [
      () => {
        checkEveryWhole("labels", [1, NaN], { from: -Infinity });
      },
      "labels: expected whole numbers, got NaN at position 1",
    ],
    [
      () => {
        checkEveryFinite("x", [1, -Infinity]);
      },
      "x: expected finite numbers, got -Infinity at position 1",
    ],
    [
      () => {
        checkSizes("image", { height: 1, width: 0 });
      },
      "image: width: expected a whole number of at least 1, got 0",
    ],
    [
      () => {
        checkSlice("rows", 3, 2, 10);
      },
      "rows: expected 0 <= start <= end <= 10, got 3 and 2",
    ],
    [
      () => {
        checkSlice("rows", -1, 2, 10);
      },
      "rows: expected 0 <= start <= end <= 10, got -1 and 2",
    ],
    [
      () => {
        checkSlice("rows", 0, 11, 10);
      },
      "rows: expected 0 <= start <= end <= 10, got 0 and 11",
    ],
    [
      () => {
        checkSlice("rows", 0.5, 1, 10);
      },
      "rows: expected 0 <= start <= end <= 10, got 0.5 and 1",
    ],
    [
      () => {
        checkAtLeast("x", -1, 0);
      },
      "x: expected a number of at least 0, got -1",
    ],
    [
      () => {
        checkAtLeast("x", Infinity, 0);
      },
      "x: expected a number of at least 0, got Infinity",
    ],
    [
      () => {
        checkHalfOpen("x", 1, 0, 1);
      },
      "x: expected a number in [0, 1), got 1",
    ],
    [
      () => {
        checkHalfOpen("x", NaN, 0, 1);
      },
      "x: expected a number in [0, 1), got NaN",
    ],
    [
      () => {
        checkOneOf("depth", 20, [18, 34]);
      },
      "depth: expected one of 18, 34, got 20",
    ],
    [
      () => {
        checkSome("grid", 0, "image");
      },
      "grid: expected at least one image, got none",
    ],
    [
      () => {
        checkLength("data", [1, 2], 3);
      },
      "data: expected 3 values, got 2",
    ],
    [
      () => {
        checkLength("data", [], 1);
      },
      "data: expected 1 value, got 0",
    ],
    [
      () => {
        checkSizes("stages", { channels: [1, 0] });
      },
      "stages: channels: expected whole numbers of at least 1, got 0 at position 1",
    ],
    [
      () => {
        checkOdd("kernel", 4);
      },
      "kernel: expected an odd whole number of at least 1, got 4",
    ],
    [
      () => {
        checkOdd("kernel", -1);
      },
      "kernel: expected an odd whole number of at least 1, got -1",
    ],
    [
      () => {
        checkMultiple("channels", 6, 4);
      },
      "channels: expected a multiple of 4, got 6",
    ],
    [
      () => {
        checkTensor("x", { dtype: "float64", shape: [2, 3] }, "float32", ["batch", 3]);
      },
      "x: expected float32[batch, 3], got float64[2, 3]",
    ],
    [
      () => {
        checkTensor("x", { dtype: "float32", shape: [2, 4] }, "float32", ["batch", 3]);
      },
      "x: expected float32[batch, 3], got float32[2, 4]",
    ],
    [
      () => {
        checkPixels("mask", { width: 3, height: 2 }, 2, 3);
      },
      "mask: expected 2 x 3 pixels, got 3 x 2",
    ],
    [
      () => {
        checkShape("images", ["N", 3, 8], ["batch", 3, 8, 8]);
      },
      "images: expected [batch, 3, 8, 8], got [N, 3, 8]",
    ],
    [
      () => {
        checkShape("images", ["N", "C", 8, 8], ["batch", 3, 8, 8]);
      },
      "images: expected [batch, 3, 8, 8], got [N, C, 8, 8]",
    ],
  ])("say what was expected and what came, case %#", (run, message) => {
    expect(said(run)).toBe(message);
  });
});

it("counts things in the singular and the plural", () => {
  expect(counted(1, "image")).toBe("1 image");
  expect(counted(0, "image")).toBe("0 images");
  expect(counted(2, "class", "classes")).toBe("2 classes");
});
