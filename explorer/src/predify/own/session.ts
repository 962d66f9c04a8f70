import { batch, signal } from "@preact/signals";
import { proxy } from "comlink";
import { startOwnNetworkLab } from "../../compute/own-network-client.js";
import type {
  OwnFacts,
  OwnFrame,
  OwnRequest,
  Refused,
  TrainingEnd,
  TrainingProgress,
  TrainingRequest,
} from "../../compute/own-network-frame.js";
import { LARGEST_FILE } from "../../compute/own-network-frame.js";
import { Player } from "../../parts/player.js";

/** A network of the user's in a worker of its own: what is known about it, its run, and its training. */
export class OwnSession {
  readonly facts = signal<OwnFacts | undefined>(undefined);
  readonly refused = signal<Refused | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  readonly player: Player<OwnRequest, OwnFrame, OwnFacts>;
  /** The last step of the training that runs now. */
  readonly training = signal<(TrainingProgress & { readonly steps: number }) | undefined>(undefined);
  readonly losses = signal<readonly number[]>([]);
  readonly end = signal<TrainingEnd | undefined>(undefined);
  readonly #worker = startOwnNetworkLab();

  /** @param speed timesteps per second */
  constructor(file: File, pcoders: number, speed: () => number) {
    const { lab } = this.#worker;
    this.player = new Player(
      {
        open: () => Promise.resolve(this.facts.value!),
        run: (request) => lab.run(request),
      },
      speed,
    );
    void this.#read(file, pcoders);
  }

  async #read(file: File, pcoders: number): Promise<void> {
    try {
      if (file.size > LARGEST_FILE) {
        const [size, limit] = [file.size, LARGEST_FILE].map((bytes) => Math.round(bytes / 1e6));
        this.refused.value = { problem: "tooLarge", detail: `${size} MB; the limit is ${limit} MB` };
        return;
      }
      const found = await this.#worker.lab.read(new Uint8Array(await file.arrayBuffer()), file.name, pcoders);
      if ("problem" in found) this.refused.value = found;
      else this.facts.value = found;
    } catch (error) {
      this.problem.value = messageOf(error);
    }
  }

  async train(request: TrainingRequest): Promise<void> {
    batch(() => {
      this.end.value = undefined;
      this.losses.value = [];
      this.training.value = { step: 0, loss: NaN, secondsLeft: undefined, steps: request.steps };
    });
    try {
      const end = await this.#worker.lab.train(
        request,
        proxy((progress: TrainingProgress) => {
          batch(() => {
            this.training.value = { ...progress, steps: request.steps };
            this.losses.value = [...this.losses.value, progress.loss];
          });
        }),
      );
      this.end.value = end;
      this.player.clock.replay();
    } catch (error) {
      this.problem.value = messageOf(error);
    }
    this.training.value = undefined;
  }

  cancel(): void {
    void this.#worker.lab.cancel();
  }

  /** The network with its feedback as an ONNX file. */
  async file(
    request: Pick<OwnRequest, "preprocessing" | "timesteps" | "weights">,
  ): Promise<Blob | undefined> {
    try {
      const bytes = await this.#worker.lab.export(request);
      return new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" });
    } catch (error) {
      this.problem.value = messageOf(error);
      return undefined;
    }
  }

  /** Ends the worker, and with it what it computes. */
  close(): void {
    this.#worker.end();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
