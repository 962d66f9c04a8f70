import { expose } from "comlink";
import type { PretrainedCard } from "striate/pretrained";
import type { Stepper } from "striate";
import { Random, createWebRuntime, metrics, openModelStepper, tetrominoScene } from "striate";
import { channelsLast, interleave, segmentImages, shiftedCopies } from "striate/akorn";
import { loadPretrained } from "striate/pretrained";
import type { Computed } from "../parts/player.js";
import type { ObjectFrame, ObjectRequest } from "./akorn-frame.js";
import { runColours } from "./run-colours.js";
import { CHANNELS, COMPONENTS, SCRAMBLED, SEGMENTS, SIDE, TILING } from "./akorn-frame.js";

const COPIES = TILING.factor ** 2;
/** Side of the map of one copy. */
const GRID = SIDE / TILING.factor;
const OSCILLATORS = "oscillators.0";

type Seen = Omit<ObjectFrame, "colours">;

/** AKOrN of the page. It runs in a worker of its own, so that the page never waits for it. */
export class ObjectLab {
  #stepper: Stepper | undefined;

  /** Loads the network. Returns the figures of its card. */
  async open(): Promise<PretrainedCard["figures"]> {
    const runtime = await createWebRuntime({ device: "wasm" });
    const { model, values, card } = await loadPretrained("akorn-tetrominoes");
    this.#stepper = await openModelStepper(runtime, { model, values }, { batch: COPIES });
    return card.figures;
  }

  /** Computes all timesteps of one run. */
  async run({ pieces, own, seed, rate, timesteps, scramble }: ObjectRequest): Promise<Computed<ObjectFrame>> {
    const stepper = this.#stepper;
    if (stepper === undefined) throw new Error("the lab is not open");
    const { image, labels } = tetrominoScene(pieces);
    const picture = own ?? Float32Array.from(image, (value) => value / 255);
    const copies = shiftedCopies(picture, TILING);
    const images = new Float32Array(COPIES * picture.length);
    copies.forEach((copy, i) => {
      images.set(copy, i * picture.length);
    });
    const random = Random.derive(seed, "oscillators");
    const start = unitOscillators(random, GRID * GRID);
    const set = async (maps: Float32Array): Promise<void> => {
      const shape = [COPIES, CHANNELS, GRID, GRID];
      await stepper.reset({ state: { [OSCILLATORS]: { dtype: "float32", shape, data: maps } } });
    };
    const all = new Float32Array(COPIES * start.length);
    for (let copy = 0; copy < COPIES; copy++) all.set(start, copy * start.length);
    await set(all);

    const times: number[] = [];
    const seen: Seen[] = [];
    /** Reads out the oscillators as they are, by a step of size 0. */
    const look = async (timestep: number, isScrambled: boolean): Promise<Float32Array> => {
      const read = await stepper.step({ images, stepSize: 0 });
      const [features, states] = [read.features!, read["states.0"]!];
      const segments = await segmentImages(
        picture,
        (_, copy) =>
          Promise.resolve({
            data: (features.data as Float32Array).subarray(copy * start.length, (copy + 1) * start.length),
            shape: [1, CHANNELS, GRID, GRID],
          }),
        { tiling: TILING, clusters: SEGMENTS },
      );
      const energies = Array.from(read["energies.0"]!.data as Float32Array);
      seen.push({
        timestep,
        isScrambled,
        oscillators: positions(states.data as Float32Array),
        segments,
        agreement: own === undefined ? metrics.foregroundAri(labels, segments) : undefined,
        energy: energies.reduce((sum, value) => sum + value, 0) / COPIES,
      });
      return (states.data as Float32Array).slice();
    };
    let maps = await look(0, false);
    for (let timestep = 1; timestep <= timesteps; timestep++) {
      const began = performance.now();
      await stepper.step({ images, stepSize: rate });
      times.push(performance.now() - began);
      maps = await look(timestep, false);
      if (scramble?.timestep !== timestep) continue;
      await set(scrambled(maps, scramble, random));
      await look(timestep, true);
    }
    const colours = runColours(
      seen.map(({ oscillators }) => oscillators),
      CHANNELS,
    );
    return {
      frames: seen.map((frame, i) => ({ ...frame, colours: colours[i]! })),
      milliseconds: metrics.median(times),
    };
  }
}

/** Random oscillators [CHANNELS, positions], each of length 1. */
function unitOscillators(random: Random, count: number): Float32Array {
  const maps = random.fillNormal(new Float32Array(CHANNELS * count));
  for (let group = 0; group < CHANNELS; group += COMPONENTS) {
    for (let i = 0; i < count; i++) {
      let square = 0;
      for (let c = group; c < group + COMPONENTS; c++) square += maps[c * count + i]! ** 2;
      const scale = 1 / Math.sqrt(square);
      for (let c = group; c < group + COMPONENTS; c++) maps[c * count + i]! *= scale;
    }
  }
  return maps;
}

/** Maps [COPIES, CHANNELS, GRID, GRID] in which the oscillators near a position are drawn anew. */
function scrambled(
  maps: Float32Array,
  { column, row }: { readonly column: number; readonly row: number },
  random: Random,
): Float32Array {
  const plane = GRID * GRID;
  const out = maps.slice();
  for (let copy = 0; copy < COPIES; copy++) {
    const fresh = unitOscillators(random, plane);
    const [down, right] = [Math.floor(copy / TILING.factor), copy % TILING.factor];
    for (let i = 0; i < plane; i++) {
      const y = Math.floor(i / GRID) * TILING.factor + down;
      const x = (i % GRID) * TILING.factor + right;
      if (Math.abs(y - row) > SCRAMBLED || Math.abs(x - column) > SCRAMBLED) continue;
      for (let c = 0; c < CHANNELS; c++) out[(copy * CHANNELS + c) * plane + i] = fresh[c * plane + i]!;
    }
  }
  return out;
}

/** Maps [COPIES, CHANNELS, GRID, GRID] as vectors [SIDE, SIDE, CHANNELS]. */
function positions(maps: Float32Array): Float32Array {
  const length = maps.length / COPIES;
  const copies = Array.from({ length: COPIES }, (_, copy) =>
    channelsLast(maps.subarray(copy * length, (copy + 1) * length), [1, CHANNELS, GRID, GRID]),
  );
  return interleave(copies, [1, GRID, GRID, CHANNELS]);
}

expose(new ObjectLab());
