/** All text of the AKOrN view in English. A translation is a file with the same keys. */
export const en = {
  tagline: "AKOrN: oscillators that find the objects in a picture, trained without labels.",
  caption:
    "Every place on a 16 x 16 grid over the picture has 16 oscillators, which start in random directions. At each timestep, all places pull at each " +
    "other, and those of one piece come to point the same way. Watch the pieces appear, then drag one of them.",
  captionOwn:
    "Every place on a 16 x 16 grid over your picture has 16 oscillators, which start in random directions. At each timestep, all places pull at each " +
    "other. Watch which places come to point the same way: this network was trained on pieces of one colour, so expect it to follow colours.",
  picture: "The picture",
  pictureHelp:
    "Drag a piece to move it. With the keyboard: Tab to a piece, arrow keys move it, K changes its shape, C its colour.",
  pictureOwnHelp: "Your picture at the network's size, 32 x 32 pixels.",
  ownPicture: "Your own picture: choose, drop or paste one",
  chooseFile: "Choose a picture…",
  ownPrivate:
    "It stays in this tab. The page cuts out its centre. The network has seen nothing but pieces of one colour on black.",
  notPicture: "this file is no picture that the browser can read; what you see is unchanged.",
  ownMissing:
    "This address was made with somebody's own picture, which never left their tab. You see the pieces of the page instead.",
  which: "picture",
  ofThePage: "pieces",
  own: "your own",
  piece: "piece",
  oscillators: "Oscillators",
  oscillatorsHelp:
    "Places with similar oscillators have similar colours (the first three principal components as red, green and blue). " +
    "Click a place to choose it.",
  alignment: "In step with the chosen place",
  alignmentHelp:
    "Mean cosine between a place's oscillators and those of the chosen place: red is 1 (same direction), white is 0, blue is -1.",
  place: "chosen place",
  segments: "Objects found",
  segmentsHelp: "The features that are read from the oscillators, clustered into four segments.",
  agreement: "Agreement with the pieces",
  agreementHelp:
    "FG-ARI: 100 % if each piece is one segment of its own, about 0 % at random. The network never sees the true pieces.",
  energy: "Energy",
  energyHelp:
    "The energy of the oscillators, which usually falls while they settle. It is the mean over four shifted copies of the picture.",
  timestep: "timestep",
  scrambled: "just scrambled",
  play: "Play",
  pause: "Pause",
  step: "Next timestep",
  rate: "step size (γ)",
  timesteps: "timesteps",
  scramble: "scramble around the place after timestep",
  scrambleOff: "scramble after timestep (0: never)",
  scrambleNow: "Scramble the chosen place",
  speed: "timesteps per second",
  other: "Other pieces",
  sameColour: "Give all pieces one colour",
  again: "Another random start",
  trained: "Use the step size and timesteps of training",
  reset: "Reset",
  whatTitle: "What you see",
  what1:
    "Nobody told this network what a piece is. It was shown pairs of altered views and learnt to recognise which views come from the same picture. The synchrony within an object is a by-product; the clusters are computed afterwards.",
  what2:
    "Scramble the oscillators around a place: their neighbours pull them back within a few timesteps. Then make all pieces " +
    "one colour. This small network now takes them for one object, and the agreement falls to about 0 %.",
  what3:
    "The picture is cut into patches of 4 x 4 pixels. Four copies of the picture, shifted by half a patch, run side by side and " +
    "are interleaved (up-tiling), which doubles the resolution of the maps.",
  equations: "The equations",
  equationHelp:
    "x_i is an oscillator, a vector of length 1 with four components. c_i is the drive from the picture, J the coupling, y_i the total pull on x_i and γ the step size. The coupling is " +
    "self-attention over all places, which is computed again at each timestep. If J were fixed and symmetric, small steps would lower E.",
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep",
  figures: "On 320 new scenes:",
  opening: "The network is loading…",
  lesson: "Lesson: how do objects appear? (20 minutes)",
  lesson1:
    "Play the run. At timestep 0 all oscillators point in random directions. Click a place on a piece: the map beside it shows which places come to point the same way.",
  lesson2:
    'At timestep 7, the oscillators around the chosen place are scrambled. Pause there and click "Next timestep": after how many timesteps is the agreement back? Watch the energy, too.',
  lesson3:
    "All pieces have one colour now. What does the network take for one object? What, then, has it learnt from pictures without labels?",
  lesson4:
    "With another random start, the map has other colours but shows the same pieces. What in this map has meaning, and what is chance?",
  lessonQuestion:
    "Nobody labelled a piece. Which property of the training pictures taught the network that places of one piece belong together?",
  lessonAnswer:
    "In training, two altered views of one picture had to be recognised as the same. Patches of one piece share colour and place, so giving them similar features probably makes the two views easiest to match. Where colour does not tell pieces apart, neither does this small network.",
  lessonShow: "Show step",
  lessonSolution: "An answer",
  source:
    "Network: Miyato, Löwe, Geiger, Welling, ICLR 2025 (arXiv:2410.13821), here with half the published number of channels. Weights " +
    "and figures: trained and measured by Striate (striate models). Scenes: Striate's, after Tetrominoes (Kabra et al. 2019).",
} as const;

export type ObjectTexts = { readonly [K in keyof typeof en]: string };
