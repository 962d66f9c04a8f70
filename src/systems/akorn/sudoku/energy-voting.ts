import { checkBoard, missingDigits } from "../../../data/sudoku/boards.js";
import type { TensorData } from "../../../graph/index.js";
import {
  cast,
  div,
  equal,
  input,
  lower,
  max,
  maximum,
  mul,
  neg,
  slice,
  softmax,
  squeeze,
  sum,
  tensorData,
  writeOnnx,
} from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { Runtime, Session, SessionOptions } from "../../../runtime/runtime.js";
import { targetOf } from "../../../runtime/runtime.js";
import { checkSome, checkWhole } from "../../../util/check.js";
import type { RandomLabel } from "../../../util/random.js";
import { Random } from "../../../util/random.js";
import { NOISE } from "../layer/oscillators.js";
import type { SudokuNetwork } from "./network.js";
import { SIDE } from "./network.js";
import { PUZZLE } from "./task.js";

/**
 * How a random start is scored: by the sum of its energies over all steps ("sum"), by its last energy, which is that of
 * the state before the last step ("last"), or by minus the mean probability of its digits in the blank cells
 * ("confidence", which is not in the paper). In our small networks, confidence tells right from wrong answers and
 * energies do not (docs/akorn.md).
 */
export type VotingScore = "sum" | "last" | "confidence";

/** Returns the index of the lowest energy, and of the first one if several are equally low. */
export function lowestEnergy(energies: ArrayLike<number>): number {
  checkSome("energy voting", energies.length, "energy");
  let best = 0;
  for (let i = 1; i < energies.length; i++) if (energies[i]! < energies[best]!) best = i;
  return best;
}

/** Options of {@link EnergyVoter}, in addition to those of the session. */
export interface VotingOptions extends SessionOptions {
  /** T, the number of Kuramoto steps. Default: as in the model. */
  readonly timesteps?: number;
  /** K, the number of random starts for each board. Default 100. */
  readonly draws?: number;
  /**
   * Number of random starts in one batch. The memory needed grows with this number, not with K. Default 50,
   * or K if that is smaller.
   */
  readonly chunk?: number;
  /** How random starts are scored. Default "sum". */
  readonly score?: VotingScore;
  /**
   * Whether an answer that breaks no rule of the game wins over every energy. Whether a filled board breaks a rule can
   * be seen without its solution, and a puzzle with one solution has one such answer. Voting then stops at the first
   * chunk that has one. Default false, as in the paper.
   */
  readonly checkRules?: boolean;
}

/** The result of the random start that won. */
export interface Vote {
  /** Logits [9, 9, 9], whose last axis is the digit. */
  readonly logits: Float32Array;
  /** The score of this start, which is an energy or minus the confidence. */
  readonly energy: number;
  /** Index of the random start, from 0. */
  readonly draw: number;
  /** The score of every random start that was tried. */
  readonly energies: Float32Array;
  /** Whether the answer, with the digits of the puzzle in their places, breaks no rule of the game. */
  readonly keepsRules: boolean;
}

/**
 * Test-time search by energy (arXiv:2410.13821, section 5.2). The network solves a board from K random
 * starts. The answer is that of the start with the lowest score, computed from the energies of the last
 * layer. Nothing is averaged. With `checkRules`, which is not in the paper, an answer that breaks no rule wins.
 */
export class EnergyVoter {
  private constructor(
    private readonly session: Session,
    private readonly channels: number,
    private readonly options: Required<Pick<VotingOptions, "draws" | "chunk" | "score" | "checkRules">>,
  ) {}

  /** Loads a network into the runtime. Throws `StriateError` if an option is out of range. */
  static async open(
    model: SudokuNetwork,
    values: State,
    runtime: Runtime,
    options: VotingOptions = {},
  ): Promise<EnergyVoter> {
    const { draws = 100, chunk = Math.min(50, draws), score = "sum", checkRules = false } = options;
    checkWhole("energy voting: draws", draws);
    checkWhole("energy voting: chunk", chunk);
    namedParameters(model);
    const puzzle = input(PUZZLE, ["draws", SIDE, SIDE]);
    const noise = model.noiseInput("draws");
    const { logits, layers } = model.forward({ tokens: cast(puzzle, "int64"), noise }, options.timesteps);
    const { energies } = layers.at(-1)!;
    const blank = cast(equal(puzzle, 0), "float32");
    const digits = max(softmax(logits), -1);
    const outputs = {
      logits,
      // A board without blanks has confidence 0 / 1.
      confidence: neg(div(sum(mul(digits, blank), [1, 2]), maximum(sum(blank, [1, 2]), 1))),
      sum: sum(energies, 0),
      last: squeeze(slice(energies, [{ axis: 0, start: -1 }]), [0]),
    };
    const target = targetOf(runtime, options);
    const constants = { values: asConstants(values) };
    const written = writeOnnx(lower(outputs, target, constants), constants);
    const session = await runtime.createSession(written, options);
    return new EnergyVoter(session, model.embedding.features, { draws, chunk, score, checkRules });
  }

  /**
   * Solves one board. Throws `StriateError` if the board is not 9 x 9 or breaks the rules of Sudoku.
   *
   * @param puzzle 81 digits, 0 for a blank
   * @param labels the random seed and any further labels, which together determine the random starts
   */
  solve(puzzle: ArrayLike<number>, ...labels: readonly [RandomLabel, ...RandomLabel[]]): Promise<Vote> {
    const [seed, ...rest] = labels;
    const random = Random.derive(seed, ...rest, "oscillators");
    return this.vote(puzzle, (noise) => random.fillNormal(noise));
  }

  /**
   * Solves one board as {@link solve} does, but from given starts. `fill` is called for each chunk to write
   * its initial oscillators, [draws, channels, 9, 9].
   */
  async vote(puzzle: ArrayLike<number>, fill: (noise: Float32Array) => void): Promise<Vote> {
    const cells = SIDE * SIDE;
    checkBoard(puzzle);
    const { draws, chunk, score, checkRules } = this.options;
    const energies = new Float32Array(draws);
    let tried = 0;
    let best: { logits: Float32Array; draw: number; keepsRules: boolean } | undefined;
    for (let start = 0; start < draws; start += chunk) {
      const count = Math.min(chunk, draws - start);
      const noise = new Float32Array(count * this.channels * cells);
      fill(noise);
      const answer = await this.session.run({
        [PUZZLE]: boards(puzzle, count),
        [NOISE]: tensorData(noise, [count, this.channels, SIDE, SIDE]),
      });
      const scores = answer[score]!.data as Float32Array;
      energies.set(scores, start);
      tried += count;
      const size = cells * SIDE;
      const all = answer.logits!.data as Float32Array;
      const keeps = (i: number) =>
        missingDigits(filledBoard(puzzle, all.subarray(i * size, (i + 1) * size))) === 0;
      const sound = checkRules ? Array.from({ length: count }, (_, i) => i).filter(keeps) : [];
      const winner =
        sound.length > 0 ? sound.reduce((a, b) => (scores[b]! < scores[a]! ? b : a)) : lowestEnergy(scores);
      if (best === undefined || sound.length > 0 || scores[winner]! < energies[best.draw]!) {
        const logits = all.slice(winner * size, (winner + 1) * size);
        best = { logits, draw: start + winner, keepsRules: keeps(winner) };
      }
      if (sound.length > 0) break;
    }
    const { logits, draw, keepsRules } = best!;
    return { logits, draw, energy: energies[draw]!, energies: energies.slice(0, tried), keepsRules };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/**
 * The digits of an answer, with those of the puzzle in their places.
 *
 * @param puzzle 81 digits, 0 for a blank
 * @param logits [9, 9, 9], whose last axis is the digit
 */
export function filledBoard(puzzle: ArrayLike<number>, logits: Float32Array): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, cell) => {
    if (puzzle[cell] !== 0) return puzzle[cell]!;
    const own = logits.subarray(cell * SIDE, (cell + 1) * SIDE);
    return 1 + own.indexOf(own.reduce((a, b) => Math.max(a, b)));
  });
}

/** Makes a batch of `count` copies of one board. */
function boards(puzzle: ArrayLike<number>, count: number): TensorData {
  const digits = Float32Array.from(puzzle);
  const all = new Float32Array(count * digits.length);
  for (let i = 0; i < count; i++) all.set(digits, i * digits.length);
  return tensorData(all, [count, SIDE, SIDE]);
}
