/** All text of the Predify view in English. A translation is a file with the same keys. */
export const en = {
  tagline: "Predify: a classifier that predicts its own inputs, and corrects itself over a few timesteps.",
  caption:
    "Timestep 0 is an ordinary classifier, and the noise misleads it. Then each of four layers predicts the layer below, and every " +
    "layer moves towards what explains the picture. Watch the answer change, then turn up the noise.",
  picture: "What the network sees",
  pictureHelp: "Drag the digit. With the keyboard: Tab to it, arrow keys move it, R and Shift+R turn it.",
  digit: "digit",
  reconstructions: "What the layers believe",
  reconstructionsHelp:
    "The picture that the decoders make of each layer, lowest layer 1 to highest layer 4. The network never saw a noisy digit when its decoders were trained.",
  error: "Unexplained",
  errorHelp:
    "The picture minus the prediction of layer 1: red where the picture is brighter than predicted, blue where it is darker.",
  answers: "Answer",
  answersHelp:
    "Probability of each digit at this timestep. Dashed outlines: the classifier alone (timestep 0). A ring marks the digit shown.",
  probability: "Probability of the digit shown",
  probabilityHelp: "Over the timesteps. It falls if the feedback misleads the network, which happens, too.",
  errors: "Prediction errors",
  errorsHelp: "Each layer's mean squared error, relative to timestep 0; colours from layer 1 to layer 4:",
  timestep: "timestep",
  play: "Play",
  pause: "Pause",
  step: "Next timestep",
  noise: "Gaussian noise",
  salt: "pixels set to black or white",
  choice: "weights of the layers",
  tuned: "tuned on noisy digits, for each layer",
  sliders: "from the sliders, for all layers",
  beta: "feed-forward (β)",
  lambda: "feedback (λ)",
  alpha: "error correction (α)",
  timesteps: "timesteps",
  speed: "timesteps per second",
  other: "Another digit",
  again: "Other noise",
  authors: "The authors' weights",
  off: "No feedback, no correction",
  reset: "Reset",
  whatTitle: "What you see",
  what1:
    "A classifier learnt clean digits. Then its weights were frozen, and small decoders learnt, without labels, to predict each " +
    "layer's input from the layer. At test time the predictions come back as feedback, and the prediction errors pull at the layers.",
  what2:
    "The weights of the layers decide everything. Tuned on noisy digits, they raise the share of right answers under noise of 0.4 " +
    "from 21 % to 77 % and lower it on clean digits from 98.7 % to 95.6 %. With the authors' weights, which were chosen for other networks, little changes.",
  what3:
    "Set error correction to 0, then feedback to 0, and compare: which of the two does the work here? With both at 0 and β = 1, " +
    "the network is the classifier alone.",
  tunedValues: "Tuned weights, layer 1 to 4:",
  equations: "The equations",
  equationHelp:
    "r_i is the representation of layer i, f_i what the layer below drives it with, p_(i+1) the prediction from above, e_i the mean " +
    "squared error of the layer's own prediction. Layer 4 gets no feedback. s_i makes the step independent of the layer's size.",
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep",
  figures: "On 1,000 test digits:",
  opening: "The network is loading…",
  source:
    "Method: Choksi et al., NeurIPS 2021 (arXiv:2106.02749), here on a small VGG11 for digits. Weights and figures: trained and measured by " +
    "Striate (striate models). Digits: MNIST test set, CC BY-SA 3.0.",
} as const;

export type PredifyTexts = { readonly [K in keyof typeof en]: string };
