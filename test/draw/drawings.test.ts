import { describe, expect, it } from "vitest";
import {
  drawPhaseWheel,
  drawPolarPlot,
  drawReliabilityDiagram,
  drawSudokuBoard,
  hex,
  phaseColour,
  sudokuConflicts,
  svg,
  TWO_HUE_CYCLE,
  UNIFORM_CYCLE,
} from "../../src/draw/index.js";
import type {
  DrawingContext,
  PolarPlotOptions,
  SudokuBoard,
  SudokuBoardOptions,
} from "../../src/draw/index.js";
import { reliability } from "../../src/metrics/index.js";
import { elementsOf } from "../report/markup.js";

const draw = (width: number, height: number, drawing: (context: DrawingContext) => void, id?: string) =>
  elementsOf(svg({ width, height, label: "Drawing", ...(id !== undefined && { id }) }, drawing));
const texts = (elements: ReturnType<typeof draw>) =>
  elements.filter(({ name }) => name === "text").map(({ text }) => text);

describe("SVG", () => {
  it("escapes what it is told, and shortens numbers", () => {
    const text = svg({ width: 9, height: 8, label: 'a "b" <c>' }, (context) => {
      context.fillStyle = '"/>';
      context.font = '600 9px "A<B"';
      context.fillText("1 < 2 & 3", 1 / 3, -0.001);
    });
    expect(text).toContain('aria-label="a &quot;b&quot; &lt;c&gt;"');
    const label = elementsOf(text).find(({ name }) => name === "text")!;
    expect(label.text).toBe("1 < 2 & 3");
    expect(label.attributes).toMatchObject({ x: "0.33", y: "0", fill: '"/>', "font-weight": "600" });
    expect(label.attributes["font-family"]).toBe('"A<B"');
  });

  it("keeps whole turns and arcs, both ways round", () => {
    const path = (start: number, end: number, anticlockwise?: boolean) =>
      draw(4, 4, (context) => {
        context.beginPath();
        context.arc(2, 2, 1, start, end, anticlockwise);
        context.fill();
      }).find(({ name }) => name === "path")!.attributes.d;
    expect(path(0, 2 * Math.PI)).toBe("M3 2A1 1 0 0 1 1 2A1 1 0 0 1 3 2");
    expect(path(0, Math.PI / 2)).toBe("M3 2A1 1 0 0 1 2 3");
    expect(path(0, -Math.PI / 2, true)).toBe("M3 2A1 1 0 0 0 2 1");
    expect(path(0, -Math.PI / 2)).toBe("M3 2A1 1 0 0 1 1.29 2.71A1 1 0 0 1 2 1");
  });

  it("gives styles back, and none to the next drawing", () => {
    draw(4, 4, (context) => {
      context.lineWidth = 7;
      drawPhaseWheel(context);
      expect([context.lineWidth, context.globalAlpha, context.fillStyle]).toEqual([7, 1, "#000"]);
    });
  });

  it("refuses empty drawings and fonts that it cannot read", () => {
    expect(() => svg({ width: 0, height: 1, label: "" }, () => undefined)).toThrow(/width/);
    expect(() =>
      draw(1, 1, (context) => {
        context.font = "huge";
        context.fillText("a", 0, 0);
      }),
    ).toThrow('expected a font like "700 12px sans-serif", got "huge"');
  });
});

describe("phase wheel", () => {
  it("has labels and the map's own colours in place", () => {
    const elements = draw(132, 132, (context) => {
      drawPhaseWheel(context);
    });
    expect(texts(elements)).toEqual(["0", "π/2", "±π", "−π/2"]);
    const wedges = elements.filter(({ name }) => name === "path");
    // 96 wedges and the fade over them.
    expect(wedges).toHaveLength(97);
    // The middle wedge starts at phase 0, on the right, and goes anticlockwise.
    const middle = wedges[48]!;
    expect(middle.attributes.d).toMatch(/^M66 66h45A45 45 0 0 0 /);
    expect(middle.attributes.fill).toBe(
      `#${[...phaseColour(UNIFORM_CYCLE, 0.03)].map((v) => v.toString(16).padStart(2, "0")).join("")}`,
    );
  });

  it("fades in the colour of silence, its gradient named as told", () => {
    const elements = draw(
      132,
      132,
      (context) => {
        drawPhaseWheel(context, { map: TWO_HUE_CYCLE });
      },
      "wheel",
    );
    expect(elements.find(({ name }) => name === "radialGradient")!.attributes.id).toBe("wheel");
    expect(elements.some(({ attributes }) => attributes.fill === "url(#wheel)")).toBe(true);
    const silent = hex(TWO_HUE_CYCLE.silent);
    const stops = elements.filter(({ name }) => name === "stop");
    expect(stops.map(({ attributes }) => attributes["stop-color"])).toEqual([silent, `${silent}00`]);
  });
});

describe("polar plot", () => {
  const plane = {
    phase: Float32Array.of(0, Math.PI / 2, Math.PI, 0),
    amplitude: Float32Array.of(4, 2, 4, 0.1),
  };
  const plot = (options: PolarPlotOptions = {}) =>
    draw(120, 120, (context) => {
      drawPolarPlot(context, plane, options);
    });
  const path = (elements: ReturnType<typeof plot>, name: string) =>
    elements.find(({ attributes }) => attributes.class === name)?.attributes.d;

  it("puts phase on the angle and amplitude on the radius, for each label", () => {
    const elements = plot({ labels: [1, 1, 2, 2], labelCount: 4 });
    expect(path(elements, "object-1")).toBe("M112 60h0M60 34h0");
    expect(path(elements, "object-2")).toBe("M8 60h0");
    expect(path(elements, "object-0")).toBe("M0 0");
    expect(path(elements, "object-3")).toBe("M0 0");
  });

  it("points to the order parameter of each label", () => {
    const elements = plot({ labels: [1, 1, 2, 0] });
    // (4, 2 i) / 6 of a radius of 52.
    expect(path(elements, "order-1")).toMatch(/^M60 60L94\.67 42\.67M/);
    expect(path(elements, "order-2")).toMatch(/^M60 60h-52M/);
    expect(path(plot({ order: false }), "order-0")).toBeUndefined();
  });

  it("refuses what does not fit", () => {
    expect(() => plot({ labels: [1] })).toThrow("polar plot labels: expected 4 values, got 1");
    expect(() => plot({ labels: [1, 9, 1, 1], labelCount: 4 })).toThrow(/groups 0 to 3, got 9/);
    const none = { phase: new Float32Array(0), amplitude: new Float32Array(0) };
    expect(() =>
      draw(1, 1, (context) => {
        drawPolarPlot(context, none);
      }),
    ).toThrow(/at least one unit/);
  });
});

describe("Sudoku board", () => {
  const solution = Array.from({ length: 81 }, (_, k) => {
    const [row, column] = [Math.floor(k / 9), k % 9];
    return ((3 * row + Math.floor(row / 3) + column) % 9) + 1;
  });
  const givens = solution.map((digit, k) => (k % 2 === 0 ? digit : 0));
  const board = (state: SudokuBoard, options: SudokuBoardOptions = {}) =>
    draw(360, 360, (context) => {
      drawSudokuBoard(context, state, options);
    });
  const ofClass = (elements: ReturnType<typeof board>, start: string) =>
    elements.filter(({ attributes }) => attributes.class?.startsWith(start));

  it("tells given digits, right and wrong answers apart, without colour as well", () => {
    const answers = solution.map((digit, k) => (k === 1 ? (digit % 9) + 1 : k === 3 ? 0 : digit));
    const elements = board({ givens, answers, solution, confidence: solution.map(() => 0) });
    expect(elements.filter(({ attributes }) => attributes["font-weight"] === "700")).toHaveLength(41);
    expect(ofClass(elements, "cell-")).toHaveLength(39);
    expect(ofClass(elements, "cell-1")[0]!.attributes).toMatchObject({ fill: "#b3400a", opacity: "0.3" });
    expect(ofClass(elements, "strike")).toHaveLength(1);
    expect(ofClass(elements, "conflict")).toHaveLength(0);
  });

  it("rings digits that occur twice if the solution is not known", () => {
    const answers = new Array<number>(81).fill(0);
    answers[1] = givens[2]!;
    const elements = board({ givens, answers });
    const conflicts = sudokuConflicts(givens.map((digit, k) => digit || answers[k]!));
    expect(conflicts[1]).toBe(1);
    expect(conflicts[2]).toBe(1);
    expect(ofClass(elements, "conflict")).toHaveLength(conflicts.filter((flag) => flag === 1).length);
    expect(sudokuConflicts(solution).every((flag) => flag === 0)).toBe(true);
  });

  it("sees conflicts in rows, columns and blocks, and nowhere else", () => {
    const pair = (one: number, other: number) => {
      const digits = new Array<number>(81).fill(0);
      digits[one] = digits[other] = 5;
      return [...sudokuConflicts(digits).keys()].filter((k) => sudokuConflicts(digits)[k] === 1);
    };
    expect(pair(0, 8)).toEqual([0, 8]);
    expect(pair(0, 72)).toEqual([0, 72]);
    expect(pair(0, 20)).toEqual([0, 20]);
    expect(pair(0, 30)).toEqual([]);
  });

  it("refuses what is no board", () => {
    expect(() => board({ givens: [1, 2] })).toThrow("Sudoku givens: expected 81 values, got 2");
    expect(() => board({ givens: solution.map(() => 10) })).toThrow(
      "Sudoku givens: expected whole numbers from 0 to 9, got 10 at position 0",
    );
  });
});

describe("reliability diagram", () => {
  const measured = reliability([0.1, 0.1, 0.9, 0.9], [true, false, true, true], 5);
  const elements = draw(360, 420, (context) => {
    drawReliabilityDiagram(context, measured);
  });
  const bars = (name: string) =>
    elements
      .filter(({ attributes }) => attributes.class === name)
      .map(({ attributes }) => [Number(attributes.y), Number(attributes.height)] as const);

  it("has bars of accuracy, gaps to the confidence and counts, for bins with samples alone", () => {
    // Diagram from 20 down to 285.2 pixels, counts from 311.2 to 386.
    expect(bars("accuracy")).toHaveLength(2);
    expect(bars("accuracy")[0]![0]).toBeCloseTo(152.6, 1);
    expect(bars("accuracy")[1]).toEqual([20, 265.2]);
    expect(bars("gap")[0]![1]).toBeCloseTo(0.4 * 265.2, 1);
    expect(bars("gap")[1]).toEqual([20, 26.52]);
    expect(bars("count").map(([, height]) => height)).toEqual([74.8, 74.8]);
  });

  it("says the expected calibration error", () => {
    expect(texts(elements)).toContain(`ECE ${(100 * measured.ece).toFixed(1)} %`);
    expect(measured.ece).toBeCloseTo(0.25, 6);
  });

  it("refuses to draw without samples or room", () => {
    const small = (height: number, bins = measured.bins) =>
      draw(100, 100, (context) => {
        drawReliabilityDiagram(context, { bins, ece: 0 }, { height });
      });
    expect(() => small(420, [])).toThrow(/at least one sample/);
    expect(() => small(90)).toThrow(/at least 94 x 140 pixels, got 360 x 90/);
  });
});
