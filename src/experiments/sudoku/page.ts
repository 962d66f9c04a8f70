import { CATEGORICAL } from "../../draw/index.js";
import type { Judgement } from "../../metrics/judgement.js";
import { average } from "../../metrics/statistics.js";
import type { ChartBlock } from "../../report/chart-block.js";
import { chartFigure, lineBlock } from "../../report/chart-block.js";
import type { LinePoint, LineSeries } from "../../report/charts.js";
import type { Card, Content, Html, Section } from "../../report/html.js";
import { cards, details, markup, note, percent, table } from "../../report/html.js";
import { ends, meanAndSpread, meanPoint, seriesOverSeeds, spreadText } from "../../report/over-seeds.js";
import { experimentPage, provenanceRows } from "../../report/provenance-node.js";
import { mark, sizeText, verdictList, withReason } from "../../report/verdict.js";
import { SUDOKU_SCRIPT, sudokuPlayer } from "./player.js";
import type { SudokuModel, SudokuReport, SudokuSet, SudokuVoting } from "./results.js";
import { checkSudokuReport, judgeGain } from "./results.js";
import type { ScoreId } from "./votes.js";
import { SCORES } from "./votes.js";

/** The report of the Sudoku experiment as one self-contained HTML file. */
export async function sudokuPage(report: SudokuReport): Promise<string> {
  checkSudokuReport(report);
  return experimentPage(report, {
    sections: [
      summarySection(report),
      solutionSection(report),
      await stepsSection(report),
      await votingSection(report),
      paperSection(report),
      await learningSection(report),
    ],
    provenance: pageProvenance(report),
    scripts: [SUDOKU_SCRIPT],
  });
}

const MARKS = {
  holds: mark({ status: "holds" }, "✓ helps"),
  reversed: mark({ status: "reversed" }, "✗ hurts"),
  undecided: mark({ status: "undecided" }),
} as const;

/** A question and its verdict. */
export interface SudokuFinding {
  readonly model: string;
  readonly about: "steps" | "votes";
  readonly question: string;
  readonly status: keyof typeof MARKS;
  readonly sentence: string;
}

/** Verdicts on whether more timesteps and voting help, for each set and each network that can use them. */
export function sudokuFindings(report: SudokuReport): SudokuFinding[] {
  return report.sets.flatMap((set) => [
    ...report.models.flatMap((model) => stepsFinding(report, model, set)),
    ...votingFinding(report, set),
  ]);
}

function stepsFinding(report: SudokuReport, model: SudokuModel, set: SudokuSet): SudokuFinding[] {
  const runs = runsOf(report, model, set);
  const [first] = runs;
  if (!first || first.timesteps.length < 2) return [];
  const at = closest(first.timesteps, model.reportedSteps);
  const t = first.timesteps[at]!;
  if (t === model.trainedSteps) return [];
  const gain = judgeGain(runs.map(({ gains }) => gains[at]!));
  return [
    {
      model: model.id,
      about: "steps",
      question: `${model.label}, ${set.label}: ${t} timesteps instead of ${model.trainedSteps}`,
      status: gain.status,
      sentence: gainSentence(gain, Math.max(...runs.flatMap(({ boards }) => boards.flat()))),
    },
  ];
}

function votingFinding(report: SudokuReport, set: SudokuSet): SudokuFinding[] {
  const runs = report.votings.filter((voting) => voting.set === set.id);
  const [first] = runs;
  if (!first) return [];
  const gain = judgeGain(runs.map((run) => run.gain));
  const rankings = runs.flatMap(({ ranking }) => (ranking === undefined ? [] : [ranking]));
  const order =
    rankings.length === 0
      ? " No board got both right and wrong answers."
      : ` On boards that got both right and wrong answers, the right one has the lower sum of energies in ${percent(meanAndSpread(rankings).mean)} % of the pairs of a right and a wrong answer.`;
  return [
    {
      model: "akorn",
      about: "votes",
      question: `AKOrN, ${set.label}: the vote of ${first.draws} draws after ${first.timesteps} timesteps instead of one draw`,
      status: gain.status,
      sentence: gainSentence(gain, Math.max(...runs.flatMap(({ votes }) => votes.at(-1)!.any))) + order,
    },
  ];
}

function gainSentence(gain: Judgement, solved: number): string {
  if (solved === 0) return "neither way solves any board.";
  return withReason(`${sizeText(gain)} of boards solved.`, gain);
}

function runsOf(report: SudokuReport, model: SudokuModel, set: SudokuSet): readonly AccuracyRow[] {
  return report.accuracies.filter((one) => one.model === model.id && one.set === set.id);
}

type AccuracyRow = SudokuReport["accuracies"][number];

function closest(list: readonly number[], wanted: number): number {
  let best = 0;
  list.forEach((value, i) => {
    if (Math.abs(value - wanted) < Math.abs(list[best]! - wanted)) best = i;
  });
  return best;
}

/**
 * Values of a network at one T: with several seeds, each seed's mean over draws; with one seed, the value of each draw.
 */
function valuesAt(runs: readonly AccuracyRow[], at: number): number[] {
  const [only] = runs;
  if (runs.length === 1) return only!.boards.map((draw) => draw[at]!);
  return runs.map(({ boards }) => meanAndSpread(boards.map((draw) => draw[at]!)).mean);
}

function summarySection(report: SudokuReport): Section {
  const results = report.models.flatMap((model) =>
    report.sets.flatMap((set): Card[] => {
      const runs = runsOf(report, model, set);
      if (runs.length === 0) return [];
      const { timesteps } = runs[0]!;
      const best = closest(timesteps, model.reportedSteps);
      const meanAt = (at: number) => percent(meanAndSpread(valuesAt(runs, at)).mean);
      const trained = timesteps.indexOf(model.trainedSteps);
      const asTrained =
        trained < 0 || trained === best
          ? ""
          : ` (${meanAt(trained)} with the ${model.trainedSteps} timesteps of training)`;
      return [
        {
          colour: CATEGORICAL[model.style % CATEGORICAL.length]!,
          name: `${model.label}, ${set.label}`,
          value: meanAt(best),
          aside: `boards solved, T = ${timesteps[best]}${asTrained}; ${percent(cellsAt(runs, best))} % of blank cells right`,
        },
      ];
    }),
  );
  const findings = sudokuFindings(report);
  return {
    id: "summary",
    title: "In short",
    lead: headline(report),
    body: markup`${cards(results)}
      ${verdictList(findings.map(({ question, status, sentence }) => [MARKS[status], markup`<b>${question}</b>: ${sentence}`]))}
      ${report.scale === "smoke" ? note("caution", "This scale only shows that everything runs: the networks have hardly been trained.") : null}`,
  };
}

function cellsAt(runs: readonly AccuracyRow[], at: number): number {
  return meanAndSpread(runs.map(({ cells }) => cells[at]!)).mean;
}

function headline(report: SudokuReport): string {
  const findings = sudokuFindings(report);
  const say = (kind: string, list: readonly SudokuFinding[]) => {
    if (list.length === 0) return "";
    const helped = list.filter(({ status }) => status === "holds").length;
    if (helped === list.length) return `${kind} help.`;
    if (helped > 0) return `${kind} help in ${helped} of ${list.length} comparisons.`;
    const hurt = list.filter(({ status }) => status === "reversed").length;
    if (seedsOf(report) === 1) return `One seed cannot decide whether ${kind.toLowerCase()} help.`;
    return hurt > 0
      ? `${kind} do not help: they hurt in ${hurt} of ${list.length} comparisons.`
      : `${kind} give no gain that can be distinguished from chance.`;
  };
  const akorn = findings.filter(({ model }) => model === "akorn");
  const about = (kind: SudokuFinding["about"]) => akorn.filter((finding) => finding.about === kind);
  const parts = [
    "AKOrN:",
    say("More timesteps than in training", about("steps")),
    say("Votes by energy", about("votes")),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

const seedsOf = ({ provenance }: SudokuReport): number => provenance.seeds.length;

function solutionSection({ solutions }: SudokuReport): Section | undefined {
  if (solutions.length === 0) return undefined;
  return {
    id: "solutions",
    title: "How a board is solved",
    lead: "AKOrN’s answer after every timestep, read out from the oscillators of the last layer. Pale digits are uncertain, and wrong digits are struck through. The digits come from one draw of the noise: the draw with the lowest sum of energies among those that solve the board, or among all draws if none does. The blue curve is the energy of this draw. Thin curves are the energies of other draws on the same board; dashed ones end with a wrong answer. The first two energies, of states near the random start, lie off the scale.",
    body: solutions.map(sudokuPlayer),
  };
}

async function stepsSection(report: SudokuReport): Promise<Section> {
  const blocks: Html[] = [];
  for (const set of report.sets) {
    const series = report.models.flatMap((model): LineSeries[] => {
      const runs = runsOf(report, model, set);
      const [first] = runs;
      if (!first) return [];
      const line = first.timesteps.map((x, i): LinePoint => meanPoint(x, valuesAt(runs, i)));
      return [
        { name: model.label, style: model.style, points: line.length > 1 ? line : flat(report, line[0]!) },
      ];
    });
    const block = await lineBlock(
      `steps-${set.id}`,
      {
        x: { title: "Timesteps T in the test", format: "d", logarithmic: true },
        y: { title: "Boards solved", format: ".0%", domain: [0, 1] },
        series,
      },
      `${set.label}: share of boards solved, by number of timesteps T. ${ends(series)}`,
      { heading: `${set.label}: ${set.givens[0]} to ${set.givens[1]} given digits` },
    );
    blocks.push(chartFigure(block, stepsCaption(report, set)));
  }
  return {
    id: "steps",
    title: "Thinking longer",
    lead: `Networks were trained with T = ${report.models[0]!.trainedSteps} timesteps; here the same parameters run for more timesteps. A board counts as solved if every blank cell is right.`,
    body: markup`${blocks}
    ${details("All numbers", accuracyTable(report))}`,
  };
}

function stepsCaption(report: SudokuReport, set: SudokuSet): Content {
  const several = report.provenance.seeds.length > 1;
  return markup`${set.boards} boards (${set.source}). Bands: ± one standard deviation over
    ${several ? "seeds" : "draws of the noise; seeds would differ by more"}. The transformer cannot run for more timesteps, so its line is level.`;
}

/** A level line for a network with a single value. */
function flat(report: SudokuReport, { y }: LinePoint): LinePoint[] {
  const all = report.accuracies.flatMap(({ timesteps }) => (timesteps.length > 1 ? timesteps : []));
  if (all.length === 0) return [{ x: 1, y }];
  return [Math.min(...all), Math.max(...all)].map((x) => ({ x, y }));
}

function accuracyTable(report: SudokuReport): Html {
  const columns = [...new Set(report.accuracies.flatMap(({ timesteps }) => timesteps))].sort((a, b) => a - b);
  return table({
    label: "Boards solved by model, set and timesteps",
    caption: "Boards solved in %; in grey below, the blank cells that are right, in %",
    head: ["Model, boards", ...columns.map((t) => `T = ${t}`)],
    rows: report.models.flatMap((model) =>
      report.sets.flatMap((set) => {
        const runs = runsOf(report, model, set);
        const [first] = runs;
        if (!first) return [];
        return [
          {
            name: `${model.label}, ${set.label}`,
            cells: columns.map((t): Content => {
              const at = first.timesteps.indexOf(t);
              if (at < 0) return "";
              return markup`${spreadText(valuesAt(runs, at))}<small>${percent(cellsAt(runs, at))}</small>`;
            }),
          },
        ];
      }),
    ),
  });
}

async function votingSection(report: SudokuReport): Promise<Section | undefined> {
  const blocks: Html[] = [];
  for (const set of report.sets) {
    const runs = report.votings.filter((voting) => voting.set === set.id);
    if (runs.length > 0) blocks.push(chartFigure(await votingChart(set, runs), votingCaption(set, runs)));
  }
  if (blocks.length === 0) return undefined;
  blocks.push(scoreTable(report));
  return {
    id: "voting",
    title: "Voting by energy",
    lead: "The network answers the same board from K random initial states, and the answer with the lowest energy wins. “Sum” adds up the energies of all timesteps; “last” takes only the energy of the state before the last timestep. “Any draw” is what a vote that always picked the right draw would reach.",
    body: blocks,
  };
}

/** What the scores of all draws tell about their answers. */
function scoreTable({ sets, votings }: SudokuReport): Html {
  const voted = sets.filter(({ id }) => votings.some(({ set }) => set === id));
  const rowsOf = (set: SudokuSet, score: ScoreId) =>
    votings
      .filter((voting) => voting.set === set.id)
      .flatMap(({ scores }) => scores.filter((one) => one.score === score));
  return table({
    label: "How well scores tell right from wrong answers",
    caption:
      "Vote: boards solved in %, if the lowest score of all draws wins, and the change from a single draw in points. Right first: of all pairs of a right and a wrong answer to one board, the share in which the right one has the lower score. The last row needs no energy: whether a filled board breaks a rule can be seen without its solution.",
    head: ["Score", ...voted.flatMap(({ label }) => [`${label}, vote`, "change", "right first"])],
    rows: (Object.keys(SCORES) as ScoreId[])
      .filter((score) => voted.some((set) => rowsOf(set, score).length > 0))
      .map((score) => ({
        name: SCORES[score],
        cells: voted.flatMap((set): Content[] => {
          const rows = rowsOf(set, score);
          const rankings = rows.flatMap(({ ranking }) => ranking ?? []);
          const gain = judgeGain(rows.map((row) => row.gain));
          return [
            percent(average(rows.map(({ solved }) => solved))),
            markup`${sizeText(gain)}${gain.seeds > 1 ? markup`<br>${MARKS[gain.status]}` : null}`,
            rankings.length === 0 ? "–" : `${percent(average(rankings))} %`,
          ];
        }),
      })),
  });
}

function votingChart(set: SudokuSet, runs: readonly SudokuVoting[]): Promise<ChartBlock> {
  const kinds = [
    ["lowest sum of energies", "sum", 0],
    ["lowest last energy", "last", 1],
    ["any draw", "any", 4],
  ] as const;
  const series = kinds.map(([name, kind, style]): LineSeries => ({
    name,
    style,
    points: runs[0]!.votes.map(({ k }, i) => {
      const means = runs.map(({ votes }) => meanAndSpread(votes[i]![kind]).mean);
      return meanPoint(k, runs.length > 1 ? means : runs[0]!.votes[i]![kind]);
    }),
  }));
  return lineBlock(
    `voting-${set.id}`,
    {
      x: { title: "Draws K", format: "d", logarithmic: true },
      y: { title: "Boards solved", format: ".0%", domain: [0, 1] },
      series,
    },
    `${set.label}: share of boards solved, by number of draws K. ${ends(series)}`,
    { heading: set.label },
  );
}

function votingCaption(set: SudokuSet, runs: readonly SudokuVoting[]): Content {
  const [first] = runs;
  return markup`${set.votedBoards} boards, T = ${first!.timesteps}, ${first!.draws} draws for each. Bands:
    ± one standard deviation over ${runs.length > 1 ? "seeds" : "the disjoint groups of K draws; the largest K is a single group, so it has no band"}.`;
}

function paperSection(report: SudokuReport): Section {
  const conditions = report.models.flatMap((model) =>
    [...new Set(model.paper.map(({ condition }) => condition))].map((condition) => ({ model, condition })),
  );
  return {
    id: "paper",
    title: "The paper’s table beside ours",
    lead: "Miyato, Löwe, Geiger & Welling (ICLR 2025), board accuracy in %, mean ± standard deviation over their seeds. Their networks are wider, were trained longer and were tested on other boards (SATNet’s, and for OOD the harder ones of RRN), so compare the order of the networks, not the percentages.",
    body: table({
      label: "Board accuracy of the paper and ours",
      head: ["Network", ...report.sets.flatMap(({ label }) => [`${label}, paper`, `${label}, ours`])],
      foreign: report.sets.map((_, i) => 2 * i),
      rows: conditions.map(({ model, condition }) => ({
        name: markup`${model.label}<small>${condition}</small>`,
        cells: report.sets.flatMap((set): Content[] => [
          model.paper.find((one) => one.set === set.id && one.condition === condition)?.text ?? "–",
          ours(report, model, set, condition),
        ]),
      })),
    }),
  };
}

/** Our result for a condition in the paper's table, such as "T = 128" or "T = 128, K = 100". */
function ours(report: SudokuReport, model: SudokuModel, set: SudokuSet, condition: string): Content {
  const k = /K = (\d+)/.exec(condition)?.[1];
  if (k !== undefined) {
    const votings = report.votings.filter((one) => one.model === model.id && one.set === set.id);
    const values = votings.flatMap(({ votes }) =>
      votes.filter((vote) => vote.k === Number(k)).map((vote) => meanAndSpread(vote.sum).mean),
    );
    if (values.length === 0) return "–";
    return markup`${spreadText(values)}<small>T = ${votings[0]!.timesteps}</small>`;
  }
  const runs = runsOf(report, model, set);
  const [first] = runs;
  if (!first) return "–";
  const wanted = Number(/T = (\d+)/.exec(condition)?.[1] ?? model.trainedSteps);
  const at = closest(first.timesteps, wanted);
  return markup`${spreadText(valuesAt(runs, at))}${first.timesteps[at] === wanted ? null : markup`<small>T = ${first.timesteps[at]}</small>`}`;
}

async function learningSection(report: SudokuReport): Promise<Section | undefined> {
  const { learning, models, sets } = report;
  if (learning.length === 0) return undefined;
  const chart = (id: string, title: string, measure: "boardAccuracy" | "cellAccuracy") =>
    lineBlock(
      id,
      {
        x: { title: "Training boards seen", format: "~s" },
        y: { title, format: ".0%" },
        series: seriesOverSeeds(models, ({ id: model }) =>
          learning
            .filter((one) => one.model === model)
            .map(({ points }) => points.map((one) => ({ x: one.boards, y: one[measure] }))),
        ),
      },
      `${title} on validation boards while training`,
      { heading: title },
    );
  return {
    id: "learning",
    title: "Learning",
    lead: `Accuracy on ${sets[0]?.label ?? ""} boards that are in neither the training nor the test set, with the averaged weights and as many timesteps as in training.`,
    body: markup`${chartFigure(await chart("learning-accuracy", "Blank cells right", "cellAccuracy"), "Single cells come out right first ...")}
    ${chartFigure(await chart("learning-boards", "Boards solved", "boardAccuracy"), "... and whole boards follow only when nearly all cells are right.")}`,
  };
}

function pageProvenance({ scale, provenance, models, sets }: SudokuReport) {
  const { steps, batchSize, trainingBoards, more } = provenance;
  const own: [string, Content][] = [
    [
      "Training of each network and seed",
      `${steps.toLocaleString("en-GB")} steps of ${batchSize} boards, out of ${trainingBoards.toLocaleString("en-GB")}`,
    ],
    [
      "Networks",
      models.map(
        ({ label, parameters, description }) =>
          markup`${label}, ${parameters.toLocaleString("en-GB")} parameters <small>${description}</small><br>`,
      ),
    ],
    ["Boards", sets.map(({ label, source }) => markup`${label}: ${source}<br>`)],
  ];
  return provenanceRows(scale, provenance, own, more);
}
