/** The text of the view of V1 in English. A translation is a file with the same keys. */
export const en = {
  tagline: "V1: 64 model cells of the primary visual cortex look at a picture.",
  caption:
    "Each cell looks at one place of the picture and responds to one pattern there: stripes of one orientation and width. Turn the grating and watch other cells respond. Then stop its drift and move the phase slider: simple cells flicker, complex cells do not.",
  picture: "The picture",
  settings: "Stimulus and cells",
  gratingHelp:
    "Drag the round handle to turn the stripes. With the keyboard: Tab to the handle, then the arrow keys. The ellipse is the receptive field of the chosen cell.",
  movedHelp:
    "Drag the stimulus to move it. With the keyboard: Tab to it, then the arrow keys. The ellipse is the receptive field of the chosen cell.",
  turn: "Turn the stimulus",
  move: "Move the stimulus",
  fields: "Receptive fields",
  fieldsHelp:
    "Each cell prefers light on red and dark on blue. The stronger the colour of its frame, the stronger its response. Click a cell to choose it, or use the arrow keys.",
  simple: "simple",
  complex: "complex",
  "simple-cells": "Simple cells",
  "complex-cells": "Complex cells (one of the two filters of each)",
  cell: "cell",
  polar: "Preferences and responses",
  polarHelp:
    "Each mark is a cell. Its angle is the orientation that the cell prefers; its distance from the centre is the spatial frequency, in cycles per degree. Large, opaque marks answer strongly.",
  now: "the stimulus",
  map: "Response map of the chosen cell",
  mapHelp:
    "The same cell at 16 x 16 positions of the picture: dark blue is silence, pale yellow a full response. Click, or Tab to the square and use the arrow keys, to choose the place that the other figures show.",
  place: "The place that is shown",
  response: "response",
  tuning: "Tuning for orientation",
  tuningHelp:
    "Responses of the chosen cell to drifting gratings of the frequency that it prefers, at full contrast. The dashed line is the orientation of the stimulus.",
  phaseTuning: "Tuning for phase",
  phaseHelp:
    "Responses of the chosen cell to still gratings that differ from its preferred one only in phase, at full contrast. The dot is the present grating and the response to it.",
  degrees: "degrees",
  unit: "cycles/°",
  stimulus: "stimulus",
  grating: "grating",
  bar: "bar",
  digit: "digit",
  own: "your own picture",
  ownHelp:
    "The square centre of your own picture, in grey. The ellipse is the receptive field of the chosen cell.",
  ownPicture: "Your own picture: choose, drop or paste one",
  chooseFile: "Choose a picture…",
  ownPrivate: "It stays in this tab. The page cuts out its centre and makes it grey.",
  notPicture: "this file is no picture that the browser can read; what you see is unchanged.",
  ownMissing:
    "This address was made with somebody's own picture, which never left their tab. You see a grating instead.",
  orientation: "orientation in degrees",
  frequency: "spatial frequency in cycles per degree",
  contrast: "contrast",
  phase: "phase in degrees",
  drift: "drift in cycles per second",
  width: "width in degrees of visual angle",
  play: "Drift",
  pause: "Stop",
  preferred: "Show what the chosen cell prefers",
  across: "Turn by 90°",
  variant: "cells drawn from",
  biol: "biol: measured in monkeys",
  unif1: "unif1: all uniform",
  unif2: "unif2: uniform, fields about as long as wide",
  unif3: "unif3: as unif2, width follows frequency",
  "orig-biol": "orig-biol: measured, paper of 2020",
  "orig-rand": "orig-rand: uniform, paper of 2020",
  noise: "noise of the responses",
  again: "Draw other cells",
  otherDigit: "Another digit",
  reset: "Back to the start",
  whatTitle: "What there is to see",
  what1:
    "The receptive field of a cell is the part of the picture to which the cell responds, with the pattern that excites it there. " +
    "In this model it is a Gabor function: stripes under a bell-shaped window. Light on the red stripes and darkness on the blue ones excite the cell.",
  what2:
    "A simple cell has one such filter. If light and dark change places, the output of its filter turns negative and the cell falls silent, so it flickers when a grating drifts. A complex cell has two filters that are a quarter of a cycle apart, adds the squares of their outputs and takes the root. Where one output is weak, the other is strong, so the response hardly depends on the phase: the cell signals that there are stripes of its orientation, but not which of them are light.",
  what3:
    "biol draws the cells from distributions measured in monkeys: more cells prefer horizontal and vertical than oblique stripes, complex cells on average prefer finer stripes than simple cells, and fields with finer stripes tend to contain more cycles. unif1 draws every property uniformly and independently of the others. The paper of 2023 asks whether such cells make networks more robust.",
  what4:
    "A cortical cell never responds to the same picture in exactly the same way twice. The noise of the model follows this: its variance grows linearly with the response.",
  equations: "Show the equations",
  eqGabor:
    "The filter of a cell with frequency f and phase φ, at a distance x' across its stripes and y' along them from its centre:",
  eqQ: "The response of the filter is the sum of its products with the picture; the second filter of a complex cell has the phase φ + 90°:",
  eqCells: "The cells, with gain k = 25:",
  eqNoise: "The noise turns a response r into r'; z is a standard normal number, a = 0.35 and b = 0.07:",
  eqSource:
    "From: Dapello, Marques et al., Simulating a Primary Visual Cortex at the Front of CNNs Improves Robustness to Image Perturbations, NeurIPS 2020.",
  code: "Show the code",
  device: "Computed in this tab on",
  perImage: "ms per picture",
  opening: "ONNX Runtime is loading; the responses follow…",
  lesson: "Lesson: what does a V1 cell answer to? (15 minutes)",
  lesson1:
    "A grating drifts. Choose cells one by one: which are silent? Compare the orientation of the stripes in a receptive field with that of the grating.",
  lesson2:
    'The grating stands still. Click "Show what the chosen cell prefers", then move the slider of the phase and watch the response of this simple cell.',
  lesson3: "The same with a complex cell. What differs, and what is it good for if an object moves?",
  lesson4:
    "Now the preferences are drawn uniformly (unif1) instead of from measurements (biol). Compare the half disc with that of biol: where are there more cells, and which details would a network behind these cells see better?",
  lessonQuestion:
    "More measured cells than uniformly drawn ones prefer low spatial frequencies. Why might a network with such a front end be more robust to noise?",
  lessonAnswer:
    "Noise that is independent from pixel to pixel has energy at all frequencies, and pictures have most of theirs at low ones. Cells that prefer low frequencies average over many pixels, so much of the noise cancels while the picture stays. striate run v1-sampling tests this; its result differs between kinds of corruption.",
  lessonShow: "Show step",
  lessonSolution: "An answer",
  source:
    "Model: Dapello, Marques et al., NeurIPS 2020. Distributions of receptive fields: Barbulescu, Marques & Oliveira 2023 (arXiv:2310.10575). " +
    "Digits: MNIST test set, CC BY-SA 3.0.",
} as const;

export type V1Texts = { readonly [K in keyof typeof en]: string };
