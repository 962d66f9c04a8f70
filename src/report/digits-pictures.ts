import { meanPhases } from "../draw/index.js";
import { details, markup } from "./html.js";
import type { Content, Html, Section } from "./html.js";
import { heading } from "./digits-data.js";
import type { DigitsReport, PhasePicture } from "./digits-data.js";
import { channelGallery, phaseLegend, phasePlayer } from "./phase-player.js";

function sameSet(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((label) => other.includes(label));
}

function listed(labels: readonly number[]): string {
  return [...labels].sort((a, b) => a - b).join(" and ");
}

function player(report: DigitsReport, sample: PhasePicture, position: number): Html {
  const { height, width, labels } = sample;
  const label = (id: string): string => report.models.find((model) => model.id === id)?.label ?? id;
  const answer = (id: string): Content => {
    const predicted = sample.predictions.find((prediction) => prediction.model === id)?.labels;
    if (!predicted) return null;
    const right = sameSet(predicted, labels);
    return markup`<span class="${right ? "right" : "wrong"}">${right ? "✓" : "✗"} ${listed(predicted)}</span>`;
  };
  const shown = new Set(sample.phases.map(({ model }) => model));
  const others = sample.predictions.filter(({ model }) => !shown.has(model));
  const panels = sample.phases.map(({ model, channels, timesteps, amplitudes }) => ({
    name: label(model),
    remark: answer(model),
    planes: timesteps.map((phases) => meanPhases({ channels, height, width, phases, amplitudes })),
  }));
  const first = sample.phases[0];
  return markup`${phasePlayer({
    title: `Sample ${position + 1}: a ${listed(labels).replace(/ and /g, " and a ")}`,
    remark:
      others.length > 0
        ? markup`Without phases:
          ${others.map(({ model }, i) => markup`${i > 0 ? ", " : null}${label(model)} ${answer(model)}`)}`
        : null,
    height,
    width,
    image: sample.image,
    masks: sample.masks,
    objectNames: labels.map((digit) => `the ${digit}`),
    panels,
  })}${
    first && position === 0
      ? details(
          `All ${first.channels} channels of ${label(first.model)} at the last timestep`,
          channelGallery(
            {
              channels: first.channels,
              height,
              width,
              phases: first.timesteps.at(-1)!,
              amplitudes: first.amplitudes,
            },
            label(first.model),
          ),
        )
      : null
  }`;
}

/** Sample images with every network's phases, playing; `undefined` without samples. A page has one legend. */
export function phaseSection(report: DigitsReport, legend = true): Section | undefined {
  if (report.phasePictures.length === 0) return undefined;
  return {
    ...heading(report, "phases", "Phases on the digits"),
    lead:
      "What to look for: every map starts as confetti. Under Kuramoto coupling the strokes of one digit settle on one " +
      "colour and the other digit on the opposite one; random phases never settle; ideal phases are painted from the masks.",
    body: markup`${
      legend &&
      phaseLegend(
        markup`<strong>Colour is phase, opacity is amplitude.</strong> Each pixel shows the amplitude-weighted
        circular mean over the channels. In the round plots, each active pixel is a dot at its phase (angle)
        and amplitude (radius), coloured by the digit it belongs to: two tight bunches on opposite sides mean
        that the digits are told apart. The rings are each digit’s order parameter: at the rim, all its phases agree.`,
      )
    }
    ${report.phasePictures.map((sample, i) => player(report, sample, i))}`,
  };
}
