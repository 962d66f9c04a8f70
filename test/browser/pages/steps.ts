import type { InferenceSession } from "onnxruntime-common";
import { KomplexNet, KomplexNetTask, Random, initialState, openStepper } from "striate";
import type { Runtime } from "striate";

export interface WatchedSteps {
  readonly logits: readonly number[][];
  readonly phases: readonly number[][];
  /** State after the last step. */
  readonly state: readonly number[];
}

/** Six steps of a small KomplexNet on two pictures, one after the other. */
export async function watchedSteps(runtime: Runtime): Promise<WatchedSteps> {
  const model = new KomplexNet({
    imageSize: 16,
    hidden: 6,
    coupling: { size: 5 },
    feedback: { size: 5 },
  });
  const task = new KomplexNetTask(model, { phases: true });
  const values = initialState(task.parameters, (name) => Random.derive(1, name));
  const stepper = await openStepper(runtime, { model: task, values }, { threads: 1, seed: 4 });
  const [logits, phases]: [number[][], number[][]] = [[], []];
  for (let t = 0; t < 6; t++) {
    const images = Float32Array.from({ length: 256 }, (_, i) => ((i * 7) % 11 < (t < 3 ? 2 : 4) ? 1 : 0));
    const answer = await stepper.step({ images, desynchrony: t < 4 ? 0.2 : 0.4 });
    logits.push(Array.from(answer.logits!.data, Number));
    phases.push(Array.from(answer.phases!.data, Number));
  }
  const state = await stepper.readState();
  await stepper.close();
  return { logits, phases, state: Array.from(state.oscillators!.data, Number) };
}

/** Notes where the tensors are that sessions are fed, by name and run. */
export function watchLocations(sessions: {
  create: (...args: never[]) => Promise<InferenceSession>;
}): string[][] {
  const seen: string[][] = [];
  const create = sessions.create.bind(sessions);
  sessions.create = async (...args: never[]) => {
    const session = await create(...args);
    const run = session.run.bind(session) as (...args: unknown[]) => Promise<InferenceSession.ReturnType>;
    session.run = (feeds: InferenceSession.FeedsType, ...rest: unknown[]) => {
      seen.push(
        Object.entries(feeds).map(([name, value]) => `${name}: ${(value as { location: string }).location}`),
      );
      return run(feeds, ...rest);
    };
    return session;
  };
  return seen;
}
