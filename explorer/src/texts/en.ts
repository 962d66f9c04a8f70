/** All text of the page in English. A translation is a file with the same keys. */
export const en = {
  title: "Striate explorer",
  tagline: "KomplexNet: two digits, told apart by the phases of coupled oscillators.",
  caption:
    "Every pixel has eight oscillators, which start at random phases. The oscillators of one digit fall into step with each other, " +
    "and out of step with those of the other digit. Watch two colours appear, then drag one digit over the other.",
  picture: "The picture",
  pictureHelp:
    "Drag a digit to move it. With the keyboard: Tab to a digit, arrow keys move it, R and Shift+R turn it.",
  digit: "digit",
  phases: "Phases",
  phasesHelp: "Colour is the mean phase of a pixel's eight oscillators, opacity their amplitude.",
  circle: "On the circle",
  circleHelp:
    "Each dot is a pixel at its phase. Each digit has a pointer: if it reaches the rim, all pixels of the digit have the same phase.",
  amplitude: "Amplitude",
  amplitudeHelp: "The responses of the first layer's eight Gabor filters, which do not change over time.",
  answers: "Answers",
  answersHelp:
    "Probability of each digit at this timestep. The two largest are the answer; a ring marks the digits shown.",
  order: "Synchrony over time",
  orderHelp:
    "Order parameter of each digit's oscillators: 0 if their phases are spread out, 1 if all are equal.",
  kuramoto: "KomplexNet",
  random: "random phases",
  real: "real-valued",
  testAccuracy: "Both digits right on test images: ",
  timestep: "timestep",
  play: "Play",
  pause: "Pause",
  step: "Next timestep",
  again: "New random phases",
  rate: "step size of phases (η)",
  repulsion: "repulsion (ε)",
  noise: "noise on the image",
  timesteps: "timesteps",
  speed: "timesteps per second",
  palette: "colours of phases",
  uniform: "uniform circle",
  "two-hue": "two hues, for colour-blind readers",
  reset: "Back to the settings of training",
  copyLink: "Copy link",
  copied: "Copied",
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep",
  opening: "The networks are loading…",
  ignored: "These parts of the address are unknown or out of range, and were ignored: ",
  other: "Other digits",
  source:
    "Network: Muzellec, Alamia, Serre, VanRullen, TMLR 2025 (arXiv:2502.21077). Weights and figures: trained and measured by " +
    "Striate (striate models). Digits: MNIST test set, CC BY-SA 3.0.",
  views: "views",
  "view-komplexnet": "KomplexNet",
  "view-akorn": "AKOrN",
  "view-sudoku": "Sudoku",
  "view-predify": "Predify",
  "view-v1": "V1",
  language: "中文",
} as const;

export type Texts = { readonly [K in keyof typeof en]: string };
