import type { ComponentChildren } from "preact";
import type { Clock } from "./clock.js";

export interface TimeBarProps {
  readonly clock: Clock;
  /** The last position of the clock. */
  readonly end: number;
  readonly texts: Readonly<Record<"timestep" | "play" | "pause" | "step", string>>;
  /** The current timestep in words. */
  readonly now: string;
  readonly children?: ComponentChildren;
}

/** The clock and its buttons: a component of its own, because it follows every frame. */
export function TimeBar({ clock, end, texts, now, children }: TimeBarProps) {
  return (
    <section class="time" aria-label={texts.timestep}>
      <button
        type="button"
        onClick={() => {
          clock.isPlaying.value = !clock.isPlaying.value;
        }}
      >
        {clock.isPlaying.value ? texts.pause : texts.play}
      </button>
      <button
        type="button"
        onClick={() => {
          clock.seek(Math.floor(clock.time.value) + 1);
        }}
      >
        {texts.step}
      </button>
      <input
        type="range"
        aria-label={texts.timestep}
        min={0}
        max={end}
        step={0.05}
        value={clock.time.value}
        onInput={(event) => {
          clock.seek(event.currentTarget.valueAsNumber);
        }}
      />
      <span>
        {texts.timestep} {now}
      </span>
      {children}
    </section>
  );
}
