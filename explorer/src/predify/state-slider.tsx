import { Slider } from "../parts/controls.js";
import type { PredifyState } from "./state.js";
import { LIMITS } from "./state.js";

/** The numbers of the state that have sliders. */
export type SliderKey = keyof typeof LIMITS & keyof PredifyState;

/** A slider for one number of the state. */
export function StateSlider({
  name,
  label,
  step,
  state,
  change,
}: {
  name: SliderKey;
  label: string;
  step: number;
  state: PredifyState;
  change: (to: Partial<PredifyState>) => void;
}) {
  const isWeight = name === "beta" || name === "lambda" || name === "alpha";
  return (
    <Slider
      label={label}
      value={state[name]}
      range={LIMITS[name]}
      step={step}
      onInput={(value) => {
        change({
          [name]: value,
          ...(isWeight && { choice: "sliders" }),
          // The weights of drive, feedback and memory add up to 1.
          ...(name === "beta" && { lambda: Math.min(state.lambda, 1 - value) }),
          ...(name === "lambda" && { beta: Math.min(state.beta, 1 - value) }),
        });
      }}
    />
  );
}
