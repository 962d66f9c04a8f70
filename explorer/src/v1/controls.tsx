import type { Signal } from "@preact/signals";
import { VARIANTS } from "striate/vonenet";
import type { Population } from "../compute/v1-frame.js";
import { Slider } from "../parts/controls.js";
import { labelOf } from "../parts/digits.js";
import type { V1Texts } from "../texts/v1-en.js";
import type { OwnPicture } from "../parts/own-picture.js";
import { OwnPictureField } from "../parts/own-picture.js";
import { LIMITS, START, STIMULI, hasAngle } from "./state.js";
import type { V1State } from "./state.js";

export interface V1ControlsProps {
  readonly state: Signal<V1State>;
  /** The phase that is shown now, in degrees. */
  readonly phase: Signal<number>;
  readonly population: Population | undefined;
  readonly own: OwnPicture;
  readonly texts: V1Texts;
}

/** The settings of the stimulus and of the population. */
export function V1Controls({ state, phase, population, own, texts }: V1ControlsProps) {
  const { stimulus, drift, sample, seed, cell, orientation, variant, noise } = state.value;
  const change = (to: Partial<V1State>): void => {
    state.value = { ...state.value, ...to };
  };
  const slider = (key: "orientation" | "frequency" | "contrast" | "drift" | "width", step: number) => (
    <Slider
      label={texts[key]}
      value={state.value[key]}
      range={LIMITS[key]}
      step={step}
      onInput={(value) => {
        change({ [key]: value, ...(key === "drift" && { phase: whole(phase) }) });
      }}
    />
  );
  const button = (label: string, to: () => Partial<V1State>, className = "") => (
    <button
      type="button"
      class={className}
      onClick={() => {
        change(to());
      }}
    >
      {label}
    </button>
  );
  return (
    <section class="controls panel">
      <h2>{texts.settings}</h2>
      <Choice
        label={texts.stimulus}
        value={stimulus}
        options={STIMULI.filter(
          (one) => one !== "own" || own.bitmap.value !== undefined || stimulus === "own",
        )}
        texts={texts}
        onChange={(to) => {
          change({ stimulus: to });
        }}
      />
      <OwnPictureField own={own} texts={texts} />
      {hasAngle(stimulus) && slider("orientation", 1)}
      {stimulus === "grating" && slider("frequency", 0.1)}
      {stimulus === "bar" && slider("width", 0.01)}
      {slider("contrast", 0.01)}
      {stimulus === "grating" && (
        <>
          <PhaseSlider
            label={texts.phase}
            phase={phase}
            onInput={(to) => {
              change({ phase: to, drift: 0 });
            }}
          />
          {slider("drift", 0.1)}
          {button(drift > 0 ? texts.pause : texts.play, () => ({
            phase: whole(phase),
            drift: drift > 0 ? 0 : START.drift,
          }))}
        </>
      )}
      {stimulus === "digit" &&
        button(`${texts.otherDigit} (${labelOf(sample)})`, () => ({ sample: (sample + 37) % 100 }))}
      {hasAngle(stimulus) && button(texts.across, () => ({ orientation: (orientation + 90) % 180 }))}
      {population !== undefined && button(texts.preferred, () => preferredGrating(population, cell), "wide")}
      <Choice
        label={texts.variant}
        value={variant}
        options={VARIANTS}
        texts={texts}
        onChange={(to) => {
          change({ variant: to });
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={noise === "on"}
          onChange={(event) => {
            change({ noise: event.currentTarget.checked ? "on" : "off" });
          }}
        />
        {texts.noise}
      </label>
      {button(texts.again, () => ({ seed: (seed + 1) % (LIMITS.seed[1] + 1) }))}
      {button(texts.reset, () => ({ ...START, language: state.value.language }))}
    </section>
  );
}

const whole = (phase: Signal<number>): number => Math.round(phase.value) % 360;

/** The grating that a cell prefers, at full contrast and without drift. */
function preferredGrating(
  { orientation, spatialFrequency, phase }: Population,
  cell: number,
): Partial<V1State> {
  const [low, high] = LIMITS.frequency;
  const round = (value: number): number => Math.round(100 * value) / 100;
  return {
    stimulus: "grating",
    orientation: round(orientation[cell]!),
    frequency: Math.min(high, Math.max(low, round(spatialFrequency[cell]!))),
    phase: round(phase[cell]!),
    contrast: 1,
    drift: 0,
  };
}

/**
 * The slider of the phase, which follows the drift. It is a component of its own, because it changes with
 * every frame.
 */
function PhaseSlider(props: {
  readonly label: string;
  readonly phase: Signal<number>;
  readonly onInput: (to: number) => void;
}) {
  const { label, phase, onInput } = props;
  return (
    <Slider label={label} value={Math.round(phase.value)} range={LIMITS.phase} step={1} onInput={onInput} />
  );
}

interface ChoiceProps<Word extends keyof V1Texts> {
  readonly label: string;
  readonly value: Word;
  readonly options: readonly Word[];
  readonly texts: V1Texts;
  readonly onChange: (to: Word) => void;
}

function Choice<Word extends keyof V1Texts>({ label, value, options, texts, onChange }: ChoiceProps<Word>) {
  return (
    <label>
      {label}{" "}
      <select
        value={value}
        onChange={(event) => {
          onChange(event.currentTarget.value as Word);
        }}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {texts[option]}
          </option>
        ))}
      </select>
    </label>
  );
}
