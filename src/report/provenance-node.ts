import { availableParallelism, cpus, totalmem } from "node:os";
import { cssGradient, UNIFORM_CYCLE } from "../draw/index.js";
import type { Content, PageOptions, Section } from "./html.js";
import { duration, markup, page } from "./html.js";
import { packageFacts } from "../util/package-facts-node.js";
import { installedVersion } from "../util/peers-node.js";

/** How a run was made: its command, machine, software versions and time. */
export interface Provenance {
  readonly seeds: readonly number[];
  /** The machine, such as "AMD EPYC ..., 2 cores, 8 GiB". */
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The end of the run in ISO 8601. */
  readonly date: string;
  readonly wallTimeSeconds: number;
  readonly command: string;
}

/** The provenance of a run that ends now on this machine. */
export function provenanceOf(seeds: readonly number[], command: string, seconds: number): Provenance {
  const date = new Date().toISOString();
  return { seeds, machine: machine(), versions: versions(), date, wallTimeSeconds: seconds, command };
}

/** Describes this machine, such as "AMD EPYC ..., 2 cores, 8 GiB". */
export function machine(): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${processor}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

/** Versions of the software that decides the numbers of a run. */
export function versions(): Record<string, string> {
  const runtime = installedVersion("onnxruntime-node") ?? "none";
  return { striate: packageFacts().version, node: process.version, "onnxruntime-node": runtime };
}

/** Formats versions, such as "striate 0.1.0, node v20". */
export function versionsText(versions: Provenance["versions"]): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

/** The facts about a run that its page shows. */
export interface RunFacts {
  /** The scale: `smoke`, `laptop` or `paper`. */
  readonly scale: string;
  readonly provenance: Pick<Provenance, "seeds" | "date" | "wallTimeSeconds">;
}

/** The short facts under the title: scale, number of seeds, facts of the experiment, duration and date. */
export function runFacts({ scale, provenance }: RunFacts, own: readonly string[] = []): string[] {
  const { seeds, wallTimeSeconds, date } = provenance;
  return [
    `scale: ${scale}`,
    seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`,
    ...own,
    duration(wallTimeSeconds),
    date.slice(0, 10),
  ];
}

/** Writes the page of an experiment. Undefined sections are left out. */
export function experimentPage(
  run: RunFacts & Pick<PageOptions, "title" | "subtitle">,
  {
    sections,
    ...options
  }: Omit<PageOptions, "title" | "subtitle" | "ribbon" | "sections"> & {
    readonly sections: readonly (Section | undefined)[];
  },
): string {
  return page({
    title: run.title,
    subtitle: run.subtitle,
    facts: runFacts(run),
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections: sections.filter((section) => section !== undefined),
    ...options,
  });
}

/**
 * Rows that say how the numbers of a run were measured, as names and values. The experiment's `own` rows
 * follow the seeds; `more` rows are at the end.
 */
export function provenanceRows(
  scale: string,
  { command, seeds, wallTimeSeconds, date, machine, versions }: Provenance,
  own: readonly (readonly [string, Content])[] = [],
  more: Readonly<Record<string, string>> = {},
): (readonly [string, Content])[] {
  return [
    ["Command", markup`<code>${command}</code>`],
    ["Scale", scale],
    ["Seeds", seeds.join(", ")],
    ...own,
    ["Wall time", duration(wallTimeSeconds)],
    ["Date", date],
    ["Machine", machine],
    ["Versions", versionsText(versions)],
    ...Object.entries(more),
  ];
}
