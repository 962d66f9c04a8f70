/** All text of the Predify view in English. A translation is a file with the same keys. */
export const en = {
  tagline:
    "Predify: a classifier that predicts its own inputs, and corrects some of its answers over a few timesteps.",
  caption:
    "At timestep 0 this is an ordinary classifier, which the noise misleads. Then each of four layers predicts the one below it (the lowest predicts the picture), and every layer moves towards what explains the picture. Watch the answer change, then turn up the noise.",
  captionOwn:
    "At timestep 0 this is your network alone. Then each of some layers predicts the one below it (the lowest predicts the picture), and every layer moves towards what explains the picture. Train the feedback first, then turn up the noise.",
  picture: "What the network sees",
  pictureHelp: "Drag the digit. With the keyboard: Tab to it, arrow keys move it, R and Shift+R turn it.",
  pictureOwnHelp:
    "Drag your picture. With the keyboard: Tab to it, arrow keys move it, R and Shift+R turn it.",
  digit: "digit",
  reconstructions: "What the layers believe",
  reconstructionsHelp:
    "The picture that the decoders compute from each layer, from the lowest (1) to the highest (4). Classifier and decoders were trained on clean digits only; β, λ and α were tuned on noisy ones.",
  error: "Unexplained",
  errorHelp:
    "The picture minus the prediction of layer 1: red where the picture is brighter than predicted, blue where it is darker.",
  answers: "Answer",
  answersHelp:
    "Probability of each digit at this timestep. Dashed outlines: the classifier alone (timestep 0).",
  answersRing: "A ring marks the digit shown.",
  probability: "Probability of the digit shown",
  probabilityHelp:
    "Over the timesteps. It falls if the feedback misleads the network, which can also happen.",
  probabilityOwn: "Probability of the last answer,",
  ownPicture: "Your own picture: choose, drop or paste one",
  chooseFile: "Choose a picture…",
  ownNetwork: "Your own network: choose or drop an .onnx file",
  ownNetworkHelp: "A classifier of pictures. It stays in this tab, which adds the feedback to it.",
  chooseNetwork: "Choose a network…",
  networkMissing: "expected the network of this address beside the page, got status",
  ownPrivate:
    "It stays in this tab. The page cuts out its centre and makes it grey. The network knows nothing but digits.",
  notPicture: "this file is no picture that the browser can read; what you see is unchanged.",
  ownMissing:
    "This address was made with somebody's own picture, which never left their tab. You see a digit of the page instead.",
  which: "picture",
  ofThePage: "a digit of the page",
  own: "your own",
  swapped: "your own, black and white swapped",
  errors: "Prediction errors",
  errorsHelp:
    "Mean squared prediction error of each layer. Numbers: the values at this timestep. Curves: relative to timestep 0, from layer 1 to layer 4:",
  timestep: "timestep",
  play: "Play",
  pause: "Pause",
  step: "Next timestep",
  noise: "Gaussian noise",
  salt: "pixels set to black or white",
  choice: "β, λ and α",
  tuned: "tuned on noisy digits, for each layer",
  sliders: "from the sliders, for all layers",
  beta: "feed-forward (β)",
  lambda: "feedback (λ)",
  alpha: "error correction (α)",
  timesteps: "timesteps",
  speed: "timesteps per second",
  other: "Another digit",
  again: "Other noise",
  authors: "The authors' β, λ and α",
  off: "No feedback, no correction",
  reset: "Reset",
  whatTitle: "What you see",
  what1:
    "A classifier learnt clean digits. Then its weights were frozen, and small decoders learnt, without labels, to predict each " +
    "layer's input from the layer. At test time the predictions come back as feedback, and the prediction errors pull at the layers.",
  what2:
    "Much depends on β, λ and α, the weights of drive, feedback and error. Tuned on noisy digits, they raise the share of right answers under noise of 0.4 from 21 % to 77 % and lower it on clean digits from 98.7 % to 95.6 %. With the authors' values, which were chosen for other networks, little changes.",
  what3:
    "Set β to 0.4. Compare α = 0.9, λ = 0 with α = 0, λ = 0.35 (steps 2 and 3 of the lesson): which of the two does the work here? With both at 0 and β = 1, the network is the classifier alone.",
  tunedValues: "Tuned β, λ and α, layers 1 to 4:",
  equations: "The equations",
  equationHelp:
    "r_i is the representation of layer i, f_i its feed-forward drive from the layer below, p_(i+1) the prediction from above, e_i the mean squared error of the layer's own prediction, and t the timestep. β, λ and α are the weights of drive, feedback and error. Layer 4 gets no feedback. s_i makes the step independent of the layer's size.",
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep",
  figures: "On 1,000 test digits:",
  opening: "The network is loading…",
  lesson: "Lesson: who corrects the answer? (20 minutes)",
  lesson1:
    "Play the run: the classifier says 8, and after a few timesteps 3. Look at layers 2 and 3: at which timestep could you read the digit there?",
  lesson2:
    "Error correction alone: λ is 0, and every layer only reduces its own prediction error. The lowest layer now explains the picture best, noise included. What happens to the answer?",
  lesson3:
    "Feedback alone: α is 0, and every layer listens to the prediction from above. What happens to the lowest layer's error, and to the answer?",
  lesson4:
    "A clean digit with the tuned values. The answer was right at timestep 0. Does it stay right, and how sure is the network?",
  lessonQuestion:
    "The lowest layer's prediction error rises while the answer gets better. Is that a contradiction?",
  lessonAnswer:
    "No. The noise cannot be predicted. A layer that explains every pixel explains the noise as well; a layer that listens to the layers above keeps what they expect and leaves the noise unexplained. The aim is a good explanation of the picture, not a small error.",
  lessonShow: "Show step",
  lessonSolution: "An answer",
  sourceOwn:
    "Method: Choksi et al., NeurIPS 2021 (arXiv:2106.02749). Network and pictures: your own. Digits: MNIST test set, CC BY-SA 3.0.",
  source:
    "Method: Choksi et al., NeurIPS 2021 (arXiv:2106.02749), here on a small VGG11 for digits. Weights and figures: trained and measured by " +
    "Striate (striate models). Digits: MNIST test set, CC BY-SA 3.0.",
} as const;

export type PredifyTexts = { readonly [K in keyof typeof en]: string };
