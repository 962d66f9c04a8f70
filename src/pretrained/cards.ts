// Written by scripts/publish-pretrained.ts, from the runs that trained the networks.
import type { PretrainedCard } from "./card.js";
import type { PretrainedName } from "./models.js";

/** The networks that come with Striate, by name. */
export const PRETRAINED_CARDS: Readonly<Record<PretrainedName, PretrainedCard>> = {
  "komplexnet-digits2": {
    name: "komplexnet-digits2",
    system: "KomplexNet",
    summary: "Names the two digits in an image; phases synchronise by Kuramoto dynamics over 12 timesteps.",
    input:
      "grey images [batch, 1, 32, 32] with pixels from 0 to 1, white on black, digits of about 18 pixels",
    command: "striate run overlapping-digits --scale laptop --seeds 1 --threads 1",
    seed: 1,
    trainingImages: 76800,
    figures: [
      {
        name: "both digits right, clean images",
        value: 60.8,
        unit: "percent",
        images: 1024,
      },
      {
        name: "both digits right, Gaussian noise of variance 0.1",
        value: 13.2,
        unit: "percent",
        images: 1024,
      },
      {
        name: "both digits right, overlap up to 50 %",
        value: 37.9,
        unit: "percent",
        images: 1024,
      },
    ],
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    file: "komplexnet-digits2.safetensors",
    bytes: 459800,
    sha256: "1be54170dfacc7ac36503e1374c15ddb5471b386ebc6fa95b3ccf3bde8b97f8c",
  },
  "random-phases-digits2": {
    name: "random-phases-digits2",
    system: "KomplexNet, phases at random",
    summary: "The control of KomplexNet whose phases are drawn at random and stay as they are.",
    input:
      "grey images [batch, 1, 32, 32] with pixels from 0 to 1, white on black, digits of about 18 pixels",
    command: "striate run overlapping-digits --scale laptop --seeds 1 --threads 1",
    seed: 1,
    trainingImages: 76800,
    figures: [
      {
        name: "both digits right, clean images",
        value: 22.7,
        unit: "percent",
        images: 1024,
      },
      {
        name: "both digits right, Gaussian noise of variance 0.1",
        value: 2.9,
        unit: "percent",
        images: 1024,
      },
      {
        name: "both digits right, overlap up to 50 %",
        value: 17.9,
        unit: "percent",
        images: 1024,
      },
    ],
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    file: "random-phases-digits2.safetensors",
    bytes: 416448,
    sha256: "20c5a5c9b40a4b0a2d53ca100fd54ebb84491eb46db21e1d5ebb468016c5d41c",
  },
  "real-valued-digits2": {
    name: "real-valued-digits2",
    system: "KomplexNet, real-valued",
    summary: "The control of KomplexNet with real numbers and no phases.",
    input:
      "grey images [batch, 1, 32, 32] with pixels from 0 to 1, white on black, digits of about 18 pixels",
    command: "striate run overlapping-digits --scale laptop --seeds 1 --threads 1",
    seed: 1,
    trainingImages: 76800,
    figures: [
      {
        name: "both digits right, clean images",
        value: 53.9,
        unit: "percent",
        images: 1024,
      },
      {
        name: "both digits right, Gaussian noise of variance 0.1",
        value: 4.7,
        unit: "percent",
        images: 1024,
      },
      {
        name: "both digits right, overlap up to 50 %",
        value: 36.5,
        unit: "percent",
        images: 1024,
      },
    ],
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    file: "real-valued-digits2.safetensors",
    bytes: 430772,
    sha256: "0580206405794e130c35966048b6c4b97700798495024fe7c471561b3613a9be",
  },
  "akorn-tetrominoes": {
    name: "akorn-tetrominoes",
    system: "AKOrN",
    summary:
      "Finds objects without labels: oscillators of one object turn alike within 8 timesteps, coupled by attention.",
    input:
      "colour images [batch, 3, 32, 32] with pixels from 0 to 1, three Tetrominoes of saturated colours on black",
    command: "striate run object-discovery --scale laptop --seeds 1 --cells tetrominoes/akorn-attn/seed1",
    seed: 1,
    trainingImages: 160000,
    figures: [
      { name: "FG-ARI", value: 69.7, unit: "percent", images: 320 },
      {
        name: "mean best overlap",
        value: 56.3,
        unit: "percent",
        images: 320,
      },
      {
        name: "FG-ARI, up-tiling by 4",
        value: 76.1,
        unit: "percent",
        images: 320,
      },
      {
        name: "mean best overlap, up-tiling by 4",
        value: 57.1,
        unit: "percent",
        images: 320,
      },
    ],
    licence: "weights: MIT; trained on scenes that Striate generated",
    file: "akorn-tetrominoes.safetensors",
    bytes: 296404,
    sha256: "f864fd75b607cd5d28ccdbb5c076f903ec15e82b22217168f494d6bdca2dc17f",
  },
  "akorn-sudoku": {
    name: "akorn-sudoku",
    system: "AKOrN",
    summary:
      "Solves Sudoku: oscillators of 81 cells, coupled by attention, settle within 16 to 256 timesteps.",
    input: 'boards "puzzle" [batch, 9, 9] of digits from 1 to 9, 0 for a blank cell',
    command: "striate run sudoku --scale laptop --seeds 1 --cells 'akorn/*' --threads 1",
    seed: 1,
    trainingImages: 175000,
    figures: [
      {
        name: "boards solved, 31 to 42 given digits, 16 timesteps",
        value: 74.7,
        unit: "percent",
        images: 250,
      },
      {
        name: "boards solved, 31 to 42 given digits, 96 timesteps",
        value: 92,
        unit: "percent",
        images: 250,
      },
      {
        name: "boards solved, 31 to 42 given digits, 256 timesteps",
        value: 91.6,
        unit: "percent",
        images: 250,
      },
      {
        name: "boards solved, 17 to 34 given digits, 16 timesteps",
        value: 12.4,
        unit: "percent",
        images: 250,
      },
      {
        name: "boards solved, 17 to 34 given digits, 96 timesteps",
        value: 28.5,
        unit: "percent",
        images: 250,
      },
      {
        name: "boards solved, 17 to 34 given digits, 256 timesteps",
        value: 30.9,
        unit: "percent",
        images: 250,
      },
    ],
    licence: "weights: MIT; trained on boards that Striate generated",
    file: "akorn-sudoku.safetensors",
    bytes: 252712,
    sha256: "dddebb39af805c75558ca53054a1c3349160d36fea53e30e24816353651aea56",
  },
  "predify-digits": {
    name: "predify-digits",
    system: "Predify",
    summary: "Names a digit in 8 timesteps; decoders of four layers predict the layer below and correct it.",
    input: "grey images [batch, 1, 32, 32], (pixel - 0.1307) / 0.3081 for pixels from 0 to 1, white on black",
    command: "npm run pretrained:predify",
    seed: 1,
    trainingImages: 231680,
    figures: [
      {
        name: "correct, clean digits, classifier alone",
        value: 98.7,
        unit: "percent",
        images: 1000,
      },
      {
        name: "correct, clean digits, after 8 timesteps",
        value: 95.6,
        unit: "percent",
        images: 1000,
      },
      {
        name: "correct, Gaussian noise of standard deviation 0.4, classifier alone",
        value: 21,
        unit: "percent",
        images: 1000,
      },
      {
        name: "correct, Gaussian noise of standard deviation 0.4, after 8 timesteps",
        value: 76.7,
        unit: "percent",
        images: 1000,
      },
      {
        name: "correct, Gaussian noise of standard deviation 0.6, classifier alone",
        value: 15.1,
        unit: "percent",
        images: 1000,
      },
      {
        name: "correct, Gaussian noise of standard deviation 0.6, after 8 timesteps",
        value: 42.2,
        unit: "percent",
        images: 1000,
      },
    ],
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    file: "predify-digits.safetensors",
    bytes: 700412,
    sha256: "51e1cf1aa00accb8eec896c4a78f679a85d28e4dc8e7e43fe448a592c66fc8d2",
  },
};
