import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly range: readonly [number, number];
  readonly step: number;
  readonly onInput: (value: number) => void;
}

export function Slider({ label, value, range: [min, max], step, onInput }: SliderProps) {
  const id = useId();
  const places = step < 0.01 ? 4 : step < 1 ? 2 : 0;
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{value.toFixed(places)}</output>
      <input
        id={id}
        type="range"
        {...{ min, max, step, value }}
        onInput={(event) => {
          onInput(event.currentTarget.valueAsNumber);
        }}
      />
    </div>
  );
}

export function Figure(props: {
  readonly title: string;
  readonly help: string;
  readonly children: ComponentChildren;
  /** What the caption says instead of `help`. */
  readonly value?: ComponentChildren;
}) {
  return (
    <figure>
      <h2>{props.title}</h2>
      {props.children}
      <figcaption>{props.value ?? props.help}</figcaption>
    </figure>
  );
}
