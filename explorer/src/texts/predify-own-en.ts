/** The text of the part of the Predify view that shows a network of the user's, in English. */
export const en = {
  reading: "The network is read, and gets its feedback…",
  notOnnx: "This file is no ONNX model.",
  operators: "This network has an operator, or a value, that Striate cannot read.",
  inputs:
    "This network does not take one picture of fixed size: it has several inputs, or an input that is no picture.",
  places:
    "This network has no place for feedback: a layer of feature maps that every path from picture to answer goes through.",
  answer: "This network does not answer with one number for each class.",
  tooLarge: "This network is too large for a tab of the browser.",
  inLibrary: "In the library's words:",
  back: "Back to the network of the page",
  title: "The network",
  takes: "takes pictures of",
  classes: "classes",
  places1: "The feedback is at:",
  picture: "What the network sees",
  pictureHelp: "The picture at the network's size, with the noise.",
  reconstructions: "What the layers believe",
  reconstructionsHelp:
    "The picture that the decoders compute from each layer, from the lowest (1) to the highest.",
  untrained: "Untrained decoders show no picture.",
  unexplained: "Unexplained",
  unexplainedHelp:
    "The picture minus the prediction of layer 1: red where the picture is brighter than predicted, blue where it is darker.",
  answers: "Answer",
  answersHelp:
    "The five classes that are most probable at any timestep. Dashed outlines: the network alone (timestep 0).",
  posterior: "Probability of the classes",
  posteriorHelp: "Over the timesteps, in the colours of the classes on the left or above.",
  network: "the network",
  preprocessing: "how its pixels are prepared",
  stated: "As the file states:",
  guessed:
    "The file does not state how pixels are prepared. Wrong numbers give wrong answers: choose what the network was trained with.",
  names: "Names of the classes: a text file, one name on each line",
  chooseNames: "Choose names…",
  namesCount: "lines, but the network has this many classes:",
  pcoders: "layers with feedback",
  ownPrivate: "They stay in this tab. The page cuts out their centres and scales them to the network's size.",
  which: "picture",
  number: "number of your picture",
  automatic: "none until it is trained, then the authors' values",
  training: "Train the feedback",
  trainingHelp:
    "The decoders learn to predict each layer from the layer above, without labels. The network itself does not change.",
  few: "A few pictures can teach the decoders what these pictures look like to the network, enough to watch predictions and errors. They cannot teach what pictures look like in general: other pictures stay badly predicted, and the answers need not get better. For that, train on thousands of pictures of the network's own kind, with striate predify, and tune β, λ and α.",
  digits: "with the 100 digits of the page",
  steps: "training steps",
  count: "pictures",
  noPictures: "There is no picture to train on: add some of your own, or the digits of the page.",
  cancel: "Cancel",
  step: "step",
  loss: "unexplained share",
  lossTitle: "Unexplained share while training",
  lossHelp:
    "The squared prediction error divided by the variance of what is predicted, the mean over layers: 0 is a perfect prediction, 1 no better than the mean.",
  secondsLeft: "seconds left",
  trained: "Trained.",
  cancelled: "Cancelled; what was learnt is kept.",
  before: "Unexplained share of the training pictures:",
  unseen: "Of pictures that it never saw:",
  tooFew: "There were too few pictures to keep some aside, so nothing is known about others.",
  export: "Save the network with its feedback (.onnx)",
  exportHelp:
    "All timesteps in one graph, with β, λ and α as inputs. The feedback in it is as trained as it is now.",
  timing: "Computed in this tab on",
} as const;

export type OwnNetworkTexts = { readonly [K in keyof typeof en]: string };
