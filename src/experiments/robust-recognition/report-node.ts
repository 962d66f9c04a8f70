import type { RecognitionReport } from "../../report/robust-recognition-data.js";
import type { Scale } from "../experiment.js";
import { machine, versions } from "../machine-node.js";
import { scheduleText } from "../rate-schedule.js";
import type { CellResult, NetworkResult } from "./cell-node.js";
import type { AttackCell, CellConfig, NetworkCell, PictureCell, ScalePlan } from "./config.js";
import { testedName } from "./config.js";
import { TESTED, parameterCount } from "./models.js";
import type { AttackResult, PictureResult } from "./test-cells-node.js";

interface Finished {
  readonly plan: ScalePlan;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly results: ReadonlyMap<CellConfig, CellResult>;
  readonly device: string;
  readonly seconds: number;
}

/** What the page shows, out of the cells. */
export function recognitionReport(run: Finished): RecognitionReport {
  const all = [...run.results];
  const of = <C extends CellConfig, R extends CellResult>(kind: C["kind"] & R["kind"]) =>
    all.filter(([config]) => config.kind === kind) as [C, R][];
  const networks = of<NetworkCell, NetworkResult>("network");
  const pictures = of<PictureCell, PictureResult>("pictures");
  const attacks = of<AttackCell, AttackResult>("attack");
  const [first] = run.seeds;
  return {
    title: "Robust recognition by oscillators",
    subtitle:
      "CIFAR-10 without adversarial training: is a network of oscillators harder to fool, and does it know better when it is wrong, than a ResNet and a vision transformer of about its size?",
    scale: run.scale,
    networks: TESTED.flatMap(({ id, ...text }) => {
      const found = networks.find(([{ model }]) => id.startsWith(model));
      return found ? [{ id, ...text, parameters: parameterCount(found[0]) }] : [];
    }),
    clean: pictures
      .filter(([{ corruptions }]) => corruptions.length === 0)
      .map(([config, { clean, reliability }]) => ({ ...runOf(config), scores: clean, reliability })),
    corrupted: pictures
      .filter(([{ corruptions }]) => corruptions.length > 0)
      .map(([config, { corruptions, meanError = NaN }]) => ({
        ...runOf(config),
        conditions: corruptions,
        meanError,
      })),
    attacks: attacks.map(([config, { scores }]) => ({
      ...runOf(config),
      attack: scores[0]?.plan ?? config.attack,
      eot: config.eot,
      scores,
    })),
    examples: attacks
      .filter(([{ seed, attack }]) => seed === first && attack === "apgd")
      .map(([config, { examples, scores }]) => ({
        title: `${TESTED.find(({ id }) => id === testedName(config))!.label}, ${scores[0]?.plan ?? ""}`,
        examples,
      })),
    learning: networks.map(([{ model, seed }, { learning }]) => ({
      network: model,
      seed,
      points: learning,
    })),
    provenance: {
      seeds: run.seeds,
      machine: machine(),
      versions: versions(),
      date: new Date().toISOString(),
      wallTimeSeconds: run.seconds,
      command: `striate run robust-recognition --scale ${run.scale} --seed ${first!} --seeds ${run.seeds.length}`,
      more: recipeOf(run),
    },
  };
}

const runOf = (config: PictureCell | AttackCell) => ({ network: testedName(config), seed: config.seed });

function recipeOf({ plan, device }: Finished): Record<string, string> {
  const { akorn, resnet, vit } = plan.shapes;
  const { steps, batchSize, augmentation, ema, learningRates } = plan;
  return {
    Training: `${steps.toLocaleString("en-GB")} steps of ${batchSize} out of ${plan.trainImages.toLocaleString("en-GB")} images`,
    "Changes of training images":
      augmentation === "strong"
        ? "crops, colours and AugMix, as in the paper"
        : "mirrored and moved by up to 4 pixels (the paper: crops, colours and AugMix)",
    Optimiser: `Adam, rates ${learningRates.akorn} (AKOrN), ${learningRates.resnet} (ResNet-18), ${learningRates.vit} (ViT)${scheduleText(plan.schedule)}`,
    "Averaged weights": `decay up to ${ema.decay}, every ${ema.every} steps after ${ema.after}; all tests use them`,
    AKOrN: `${akorn.channels} channels in the first layer, T ${akorn.timesteps}, n ${akorn.rotatingDimensions}, kernels ${akorn.kernels.join(", ")}`,
    "ResNet-18": `channels times ${resnet.width}`,
    ViT: `${vit.channels} channels, ${vit.layers} blocks, patches of ${vit.patch}`,
    "Noise in tests": `fresh in every pass; attacks on AKOrN average each gradient over ${plan.eot} draws`,
    Device: device,
  };
}
