import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { computed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import {
  CATEGORICAL,
  drawPhaseWheel,
  drawPolarPlot,
  featureMaps,
  labelColour,
  meanPhases,
  orderParameters,
  phaseMap,
} from "striate/draw";
import type { Frame } from "../compute/frame.js";
import { FIELD } from "../compute/frame.js";
import { Canvas } from "../parts/canvas.js";
import { Figure, Slider } from "../parts/controls.js";
import { labelOf } from "../parts/digits.js";
import { everyFrame } from "../parts/every-frame.js";
import { putPixels } from "../parts/pixels.js";
import { TimeBar } from "../parts/time-bar.js";
import type { Texts } from "../texts/en.js";
import { Editor } from "./editor.js";
import { UNITS, phasesAt, probability, topTwo } from "./phases.js";
import type { Run } from "./run.js";
import { sceneImage, sceneLabels } from "./scene.js";
import type { KomplexNetState } from "./state.js";
import { LIMITS, PALETTES, START } from "./state.js";

const SIDE = FIELD.height;
/** Side of a map on the page. */
const MAP = 256;

export interface ViewProps {
  readonly run: Run;
  readonly state: Signal<KomplexNetState>;
  readonly samples: ImageBitmap;
  /** The recording of the run for the initial settings; empty if there is none. */
  readonly recording: readonly Frame[];
  readonly texts: Texts;
}

/** The settings that decide a run. */
const RUN_KEYS = ["digits", "noise", "rate", "repulsion", "timesteps", "seed"] as const;

export function KomplexNetView({ run, state, samples, recording, texts }: ViewProps) {
  const hovered = useSignal<readonly [x: number, y: number] | undefined>(undefined);
  const { digits, noise, seed, rate, repulsion, timesteps } = state.value;
  const change = (to: Partial<KomplexNetState>): void => {
    state.value = { ...state.value, ...to };
  };

  useEffect(() => {
    const isStart = RUN_KEYS.every((key) => JSON.stringify(state.value[key]) === JSON.stringify(START[key]));
    run.restart(sceneImage(samples, digits, noise, seed), isStart ? recording : []);
  }, [run, samples, digits, noise, seed, rate, repulsion, timesteps, run.facts.value]);
  useEffect(
    () =>
      everyFrame((seconds) => {
        run.clock.advance(seconds);
      }),
    [run],
  );

  const labels = useMemo(() => sceneLabels(samples, digits), [samples, digits]);
  const means = useMemo(() => {
    const scratch = new Float32Array(UNITS);
    return computed(() => {
      const amplitudes = run.current.value?.amplitudes;
      const phases = phasesAt(run.frames.value, run.clock.time.value, scratch);
      return phases && amplitudes && meanPhases({ ...FIELD, phases, amplitudes });
    });
  }, [run]);
  const map = PALETTES[state.value.palette];
  const orders = useMemo(
    () => computed(() => run.frames.value.map((one) => orderOf(one, labels, digits.length))),
    [run, labels, digits.length],
  );
  const orderLabel = orderText(orders.value[Math.max(0, run.timestep.value - 1)], texts);
  const pointer = (x: number | undefined, y: number): void => {
    hovered.value =
      x === undefined ? undefined : [Math.min(31, Math.floor(x * SIDE)), Math.min(31, Math.floor(y * SIDE))];
  };
  const cursor = (context: CanvasRenderingContext2D): void => {
    if (hovered.value === undefined) return;
    const [x, y] = hovered.value;
    const cell = MAP / SIDE;
    context.strokeStyle = getComputedStyle(context.canvas).color;
    context.lineWidth = 2;
    context.strokeRect(x * cell - 1, y * cell - 1, cell + 2, cell + 2);
  };
  const valueAt = (show: (at: number) => string): string | undefined => {
    if (hovered.value === undefined || means.value === undefined) return undefined;
    const [x, y] = hovered.value;
    return `(${x}, ${y}): ${show(y * SIDE + x)}`;
  };
  const facts = run.facts.value;
  const frame = run.current.value;

  return (
    <>
      <div class="figures">
        <Figure title={texts.picture} help={texts.pictureHelp}>
          <Editor
            samples={samples}
            digits={digits}
            digitWord={texts.digit}
            onChange={(moved) => {
              change({ digits: moved });
            }}
          />
        </Figure>
        <Figure
          title={texts.phases}
          help={texts.phasesHelp}
          {...optional(
            "value",
            valueAt(
              (at) =>
                `${means.value!.phase[at]!.toFixed(2)} rad, amplitude ${means.value!.amplitude[at]!.toFixed(2)}`,
            ),
          )}
        >
          <Canvas
            width={MAP}
            height={MAP}
            label={`${texts.phases}, ${texts.timestep} ${run.timestep.value}`}
            onHover={pointer}
            draw={(context) => {
              if (means.value === undefined) return;
              putPixels(context, phaseMap(means.value, { map }), MAP);
              cursor(context);
            }}
          />
        </Figure>
        <Figure title={texts.circle} help={texts.circleHelp}>
          <Canvas
            width={MAP}
            height={MAP}
            label={orderLabel}
            draw={(context) => {
              if (means.value === undefined) return;
              drawPolarPlot(context, activeUnits(means.value, labels), {
                size: MAP,
                ...activeLabels(means.value, labels),
                labelCount: digits.length + 1,
              });
            }}
          />
        </Figure>
        <Figure title={texts.answers} help={texts.answersHelp}>
          <Canvas
            width={MAP}
            height={MAP}
            label={answerText(frame, texts)}
            draw={(context) => {
              if (run.current.value !== undefined)
                drawAnswers(
                  context,
                  run.current.value,
                  digits.map(({ sample }) => labelOf(sample)),
                  texts,
                );
            }}
          />
        </Figure>
        <Figure title={texts.order} help={texts.orderHelp}>
          <Canvas
            width={MAP}
            height={MAP / 2}
            label={orderLabel}
            draw={(context) => {
              drawOrder(context, orders.value, run.clock.time.value, timesteps);
            }}
          />
        </Figure>
        <Figure title={texts.amplitude} help={texts.amplitudeHelp}>
          <Canvas
            width={MAP}
            height={MAP / 2}
            label={texts.amplitude}
            draw={(context) => {
              const values = run.current.value?.amplitudes;
              if (values === undefined) return;
              const image = featureMaps({ ...FIELD, values }, { columns: 4, scale: 1, range: "shared" });
              putPixels(context, image, MAP, MAP / 2);
            }}
          />
        </Figure>
      </div>
      <RunTime run={run} timesteps={timesteps} texts={texts}>
        <Canvas
          width={132}
          height={132}
          label={texts.palette}
          draw={(context) => {
            context.fillStyle = context.strokeStyle = getComputedStyle(context.canvas).color;
            drawPhaseWheel(context, { map, ink: getComputedStyle(context.canvas).color });
          }}
        />
      </RunTime>
      <section class="controls">
        {slider("rate", texts.rate, 0.0005)}
        {slider("repulsion", texts.repulsion, 0.01)}
        {slider("noise", texts.noise, 0.01)}
        {slider("timesteps", texts.timesteps, 1)}
        {slider("speed", texts.speed, 1)}
        <label>
          {texts.palette}{" "}
          <select
            value={state.value.palette}
            onChange={(event) => {
              change({ palette: event.currentTarget.value as KomplexNetState["palette"] });
            }}
          >
            <option value="uniform">{texts.uniform}</option>
            <option value="two-hue">{texts["two-hue"]}</option>
          </select>
        </label>
        <button
          type="button"
          onClick={() => {
            change({ seed: (seed % LIMITS.seed[1]) + 1 });
          }}
        >
          {texts.again}
        </button>
        <button
          type="button"
          onClick={() => {
            change({ digits: otherDigits(digits) });
          }}
        >
          {texts.other}
        </button>
        <button
          type="button"
          onClick={() => {
            change({ rate: START.rate, repulsion: START.repulsion, noise: 0, timesteps: START.timesteps });
          }}
        >
          {texts.reset}
        </button>
      </section>
      <details>
        <summary>{texts.code}</summary>
        <pre>
          <code>{codeOf(state.value)}</code>
        </pre>
      </details>
      <p class="facts">
        {facts === undefined
          ? texts.opening
          : `${texts.device} ${facts.device}${frame?.milliseconds === undefined ? "" : `, ${frame.milliseconds.toFixed(0)} ${texts.perStep}`}. ` +
            `${texts.testAccuracy}${texts.kuramoto} ${facts.accuracy.kuramoto} %, ${texts.real} ${facts.accuracy.real} %, ` +
            `${texts.random} ${facts.accuracy.random} %.`}
      </p>
    </>
  );

  function slider(key: keyof typeof LIMITS, label: string, step: number) {
    return (
      <Slider
        label={label}
        value={state.value[key]}
        range={LIMITS[key]}
        step={step}
        onInput={(value) => {
          change({ [key]: value });
        }}
      />
    );
  }
}

interface RunTimeProps {
  readonly run: Run;
  readonly timesteps: number;
  readonly texts: Texts;
  readonly children: ComponentChildren;
}

function RunTime({ run, timesteps, texts, children }: RunTimeProps) {
  return (
    <TimeBar clock={run.clock} end={timesteps} texts={texts} now={`${run.timestep.value} / ${timesteps}`}>
      {children}
    </TimeBar>
  );
}

const optional = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as Readonly<Partial<Record<K, V>>>;

interface Plane {
  readonly phase: Float32Array;
  readonly amplitude: Float32Array;
}

const isActive =
  ({ amplitude }: Plane, labels: Uint8Array) =>
  (_: unknown, i: number) =>
    labels[i]! > 0 && amplitude[i]! > 0.1;

/** The pixels of digits whose oscillators are active. */
function activeUnits(plane: Plane, labels: Uint8Array): Plane {
  const keep = isActive(plane, labels);
  return { phase: plane.phase.filter(keep), amplitude: plane.amplitude.filter(keep) };
}

const activeLabels = (plane: Plane, labels: Uint8Array) => ({
  labels: labels.filter(isActive(plane, labels)),
});

/** Order parameter of each digit in a frame, over all channels, weighted by amplitude. */
function orderOf(frame: Frame, labels: Uint8Array, digits: number): readonly number[] {
  const groups = Uint8Array.from({ length: UNITS }, (_, i) => labels[i % labels.length]!);
  const all = orderParameters(frame.phases, { weights: frame.amplitudes, groups, groupCount: digits + 1 });
  return all.slice(1).map(({ length }) => length);
}

function drawOrder(
  context: CanvasRenderingContext2D,
  orders: readonly (readonly number[])[],
  time: number,
  timesteps: number,
): void {
  const [width, height] = [MAP, MAP / 2];
  const x = (t: number) => 4 + ((width - 8) * t) / timesteps;
  const y = (value: number) => 4 + (height - 8) * (1 - value);
  for (const k of (orders[0] ?? []).keys()) {
    context.strokeStyle = `rgb(${labelColour(k + 1).join()})`;
    context.lineWidth = 2;
    context.beginPath();
    orders.forEach((order, t) => {
      context.lineTo(x(t + 1), y(order[k]!));
    });
    context.stroke();
  }
  context.strokeStyle = getComputedStyle(context.canvas).color;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x(time), 0);
  context.lineTo(x(time), height);
  context.stroke();
}

function drawAnswers(
  context: CanvasRenderingContext2D,
  { logits }: Frame,
  shown: readonly number[],
  texts: Texts,
): void {
  const ink = getComputedStyle(context.canvas).color;
  const rows = [
    ["kuramoto", texts.kuramoto],
    ["real", texts.real],
    ["random", texts.random],
  ] as const;
  const [block, bar] = [MAP / 3, MAP / 10];
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  for (const [r, [key, name]] of rows.entries()) {
    const own = logits[key];
    const two = topTwo(own);
    const top = r * block;
    context.fillStyle = ink;
    context.textAlign = "left";
    context.fillText(name, 0, top + 12);
    context.textAlign = "center";
    for (let digit = 0; digit < 10; digit++) {
      const height = (block - 36) * probability(own[digit]!);
      const [left, base] = [digit * bar, top + block - 18];
      context.fillStyle = two.includes(digit) ? CATEGORICAL[0] : "#8886";
      context.fillRect(left + 3, base - height, bar - 6, Math.max(1, height));
      context.fillStyle = ink;
      context.fillText(String(digit), left + bar / 2, base + 13);
      if (shown.includes(digit)) {
        context.strokeStyle = ink;
        context.beginPath();
        context.arc(left + bar / 2, base + 9, 8, 0, 2 * Math.PI);
        context.stroke();
      }
    }
  }
}

function answerText(frame: Frame | undefined, texts: Texts): string {
  if (frame === undefined) return texts.answers;
  const { logits } = frame;
  return `${texts.answers}: ${texts.kuramoto} ${topTwo(logits.kuramoto).join(", ")}; ${texts.real} ${topTwo(logits.real).join(", ")}; ${texts.random} ${topTwo(logits.random).join(", ")}`;
}

function orderText(order: readonly number[] | undefined, texts: Texts): string {
  return order === undefined
    ? texts.order
    : `${texts.order}: ${order.map((value) => value.toFixed(2)).join(", ")}`;
}

/** Another sample for each digit, all of different classes. */
function otherDigits(digits: KomplexNetState["digits"]): KomplexNetState["digits"] {
  const used: number[] = [];
  return digits.map((digit) => {
    let sample = digit.sample;
    do sample = (sample + 37) % 100;
    while (used.includes(labelOf(sample)));
    used.push(labelOf(sample));
    return { ...digit, sample };
  });
}

function codeOf({ rate, repulsion, seed, timesteps }: KomplexNetState): string {
  return `import { createWebRuntime, openStepper } from "striate";
import { loadPretrained } from "striate/pretrained";

const runtime = await createWebRuntime({ device: "wasm" });
const { model, values } = await loadPretrained("komplexnet-digits2");
const stepper = await openStepper(runtime, { model, values }, { seed: ${seed} });
for (let t = 0; t < ${timesteps}; t++) {
  // pixels: Float32Array of 32 x 32 numbers from 0 to 1
  const { phases, logits } = await stepper.step({ images: pixels, rate: ${rate}, desynchrony: ${repulsion} });
}`;
}
