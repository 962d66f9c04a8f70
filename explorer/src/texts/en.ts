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
    "Each dot is a pixel: its angle is the phase, its distance from the centre the amplitude. Each digit has a pointer, which reaches the rim if all oscillators of the digit have the same phase.",
  amplitude: "Amplitude",
  amplitudeHelp: "The responses of the first layer's eight Gabor filters, which do not change over time.",
  answers: "Answers",
  answersHelp:
    "Probability of each digit at this timestep; the two largest are the answer. A ring marks the digits shown. The controls are a network without phases, and a KomplexNet whose phases stay random. KomplexNet needs synchrony: judge it at the end of the run.",
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
  reset: "Back to the training settings",
  copyLink: "Copy link",
  copied: "Copied",
  save: "Save…",
  saveNumbers: "Numbers shown (CSV)",
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep",
  opening: "The networks are loading…",
  ignored: "These parts of the address are unknown or out of range, and were ignored: ",
  other: "Other digits",
  lesson: "Lesson: what do phases bind? (15 minutes)",
  lesson1:
    "Play the run. At timestep 1, the colours of both digits are mixed. Which timestep is the first at which you could tell the digits apart by colour alone? Compare with the curve of synchrony.",
  lesson2:
    "Now the step size is 0: the phases stay as random as at the start, and the order parameters stay near 0. Which digits does KomplexNet name now?",
  lesson3:
    'Larger steps are not always better: at 0.02 the phases overshoot at each timestep, and synchrony stays low. Move the slider "step size of phases" until both curves reach 0.9 as early as possible.',
  lesson4:
    "Both digits lie on top of each other. A pixel that both share belongs to both, but each of its oscillators has only one phase. Which digits do the three networks name?",
  lessonQuestion:
    'A friend says: "The network could just as well paint each digit in its own colour." What can phases do that fixed colours, one per class, could not?',
  lessonAnswer:
    "Phases say which pixels belong together, not what they are: two 3s can have two different phases, and the same 3 gets another phase if the run starts from other random phases. Only differences of phases carry information, and the layers above read which units agree.",
  lessonShow: "Show step",
  lessonSolution: "An answer",
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
