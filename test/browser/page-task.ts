import type { KomplexNet, KomplexNetTask, Trainer } from "../../src/index.js";
import type { Runtime } from "../../src/runtime/runtime.js";

interface Parts {
  readonly KomplexNet: typeof KomplexNet;
  readonly KomplexNetTask: typeof KomplexNetTask;
  readonly Trainer: typeof Trainer;
  /** Default: the browser's. */
  readonly runtime?: Runtime;
  readonly webRuntime?: Runtime;
}

/** Four training steps of a small KomplexNet. Sent to the page as text, so it uses its argument and nothing else. */
export async function pageTask(parts: Parts): Promise<number[]> {
  const model = new parts.KomplexNet({ timesteps: 2, channels: 2, hidden: 6, coupling: { size: 5 } });
  const data = {
    count: 16,
    fill: (indices: ArrayLike<number>, fields: Readonly<Record<string, Float32Array>>) => {
      for (const values of Object.values(fields)) {
        values.forEach((_, i) => (values[i] = (i * 7 + indices[0]! * 3) % 11 < 2 ? 1 : 0));
      }
    },
  };
  const recipe = { batchSize: 4, seed: 5, learningRate: 0.01, clipNorm: 2 };
  const trainer = await parts.Trainer.open(
    new parts.KomplexNetTask(model),
    data,
    recipe,
    (parts.runtime ?? parts.webRuntime)!,
    {
      device: parts.runtime === undefined ? "wasm" : "cpu",
    },
  );
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) losses.push((await trainer.advance()).loss);
  await trainer.close();
  return losses;
}
