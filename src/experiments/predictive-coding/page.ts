import { average } from "../../metrics/statistics.js";
import { chartFigure } from "../../report/chart-block.js";
import type { Content, Html, Section } from "../../report/html.js";
import { details, duration, figure, markup, note, number, percent, table } from "../../report/html.js";
import { spreadCell, summariseSeeds } from "../../report/over-seeds.js";
import { experimentPage } from "../../report/provenance-node.js";
import { mark, points, verdictList } from "../../report/verdict.js";
import {
  accuracyCharts,
  decoderChart,
  lastTimestep,
  mceChart,
  noiseRows,
  pcoderCharts,
  trainingChart,
} from "./page-charts.js";
import type { Change, CorruptionRow, PredictiveCodingReport, Reconstruction } from "./results.js";
import { changeOverTime } from "./results.js";

const FAMILIES = [
  { family: "tuned", name: "tuned values" },
  { family: "authors", name: "the authors’ values" },
] as const;

/** The report of the predictive-coding experiment as one self-contained HTML file. */
export async function predictiveCodingPage(report: PredictiveCodingReport): Promise<string> {
  const { scale } = report;
  const { seeds, seconds, date, command, facts } = report.provenance;
  const run = { scale, provenance: { seeds, date, wallTimeSeconds: seconds } };
  const title = "Predictive coding, timestep by timestep";
  const subtitle =
    "A trained network gets feedback in which each layer predicts the layer below. Do its answers on noisy images improve over timesteps?";
  return experimentPage(
    { ...run, title, subtitle },
    {
      sections: [
        summarySection(report),
        await accuracySection(report),
        reconstructionSection(report),
        await corruptionSection(report),
        await pcoderSection(report, "distances"),
        await pcoderSection(report, "errors"),
        valuesSection(report),
        await networkSection(report),
      ],
      provenance: [
        ["Command", markup`<code>${command}</code>`],
        ["Scale", scale],
        ["Seeds", seeds.join(", ")],
        ...facts,
        ["Wall time", duration(seconds)],
        ["Date", date],
      ],
    },
  );
}

/** The change in accuracy from timestep 0 to the last, under the full dynamics. */
function changes(report: PredictiveCodingReport, family: string) {
  return report.conditions.map((condition) => ({
    condition,
    change: changeOverTime(noiseRows(report, family, condition.id)),
  }));
}

function summarySection(report: PredictiveCodingReport): Section {
  const last = lastTimestep(report);
  const verdicts = FAMILIES.flatMap(({ family, name }) =>
    changes(report, family).map(({ condition, change }) => ({ name, condition, change })),
  );
  const counted = (status: Change["status"]) =>
    verdicts.filter(({ change }) => change.status === status).length;
  const sentence = ({ name, condition, change }: (typeof verdicts)[number]) =>
    `${condition.label}, ${name}: ${points(change.mean)} points of accuracy from timestep 0 to ${last}, uncertainty ±${percent(change.margin)} (${change.values.map(({ seed, value }) => `seed ${seed}: ${points(value)}`).join(", ")}).`;
  const list = (family: (typeof FAMILIES)[number]) =>
    verdictList(
      verdicts
        .filter(({ name }) => name === family.name)
        .map((verdict) => [mark(verdict.change), sentence(verdict)]),
    );
  return {
    id: "summary",
    title: "In short",
    lead: `Claim: after ${last} timesteps the network is right more often than after its feed-forward pass. Over ${report.conditions.length} conditions and two choices of hyper-parameters, the claim holds in ${counted("holds")} of ${verdicts.length} cases, is reversed in ${counted("reversed")} and undecided in ${counted("undecided")}.`,
    body: markup`<h3>Hyper-parameters tuned by gradient descent on noisy training images</h3>${list(FAMILIES[0])}
      ${details("The authors’ values", list(FAMILIES[1]))}
      ${report.scale === "smoke" ? note("caution", "Smoke scale: only a few steps of every training run and every test. The numbers show that the code runs, nothing else.") : null}
      ${report.provenance.seeds.length === 1 ? note("caution", "One seed cannot show how much seeds differ, so every verdict is undecided.") : null}`,
  };
}

async function accuracySection(report: PredictiveCodingReport): Promise<Section> {
  const [tuned, authors] = [await accuracyCharts(report, "tuned"), await accuracyCharts(report, "authors")];
  const last = lastTimestep(report);
  const accuracyCell = (setting: string, condition: string, t: number): Content => {
    const rows = noiseRows(report, setting, condition);
    return spreadCell(
      summariseSeeds(rows.map(({ seed, accuracy }) => ({ seed, value: accuracy[t]! }))),
      percent,
    );
  };
  return {
    id: "accuracy",
    title: "Accuracy against timestep",
    lead: "All lines use the same test images with the same noise. At timestep 0, every network gives the answers of the feed-forward network. With neither feedback nor the error term, its accuracy would stay the same at all timesteps. Each chart has its own scale.",
    body: markup`${chartFigure(
      tuned,
      "Hyper-parameters tuned by gradient descent. The dynamics help if the line “feedback and error term” rises above the dashed line of the network alone; the other lines show how much of the rise is left without feedback or without the error term. Bands: range over seeds.",
    )}
    ${details(
      "The same with the authors’ values (0.8, 0.1, 0.01)",
      chartFigure(authors, "Hyper-parameters that the authors used for every PCoder in their evaluations."),
    )}
    ${table({
      label: "Accuracy at the last timestep",
      caption: `Accuracy in % at timestep ${last}, mean ± standard deviation over seeds`,
      head: [
        "Condition",
        "the network alone",
        ...report.settings.map(({ family, label }) => markup`${label}<small>${family}</small>`),
      ],
      rows: report.conditions.map(({ id, label, description }) => ({
        name: markup`${label}<small>${description}</small>`,
        cells: [
          accuracyCell(report.settings[0]!.id, id, 0),
          ...report.settings.map((setting) => accuracyCell(setting.id, id, last)),
        ],
      })),
    })}`,
  };
}

function reconstructionSection(report: PredictiveCodingReport): Section | undefined {
  if (report.reconstructions.length === 0) return undefined;
  return {
    id: "reconstructions",
    title: "What the layers know about the image",
    lead: `The first test image (${report.reconstructionTruth}), clean and noisy. Each row starts from one PCoder’s representation: its decoder predicts the layer below, the next decoder predicts the layer below that, and so on down to the image. Beta, lambda and alpha have the tuned values.`,
    body: report.reconstructions.map((picture) => reconstructionFigure(report, picture)),
  };
}

function reconstructionFigure(report: PredictiveCodingReport, picture: Reconstruction): Html {
  const { label, image, answers, pictures } = picture;
  const cell = (uri: string, alt: string) => markup`<td><span><img src="${uri}" alt="${alt}"></span></td>`;
  const rows = pictures.map(
    (row, i) =>
      markup`<tr>
        <th scope="row">PCoder ${i + 1}</th>
        ${row.map((uri, t) => cell(uri, `reconstruction from PCoder ${i + 1} at timestep ${t}, ${label}`))}
      </tr>`,
  );
  const right = (answer: string) => (answer === report.reconstructionTruth ? "right" : "wrong");
  return figure(
    markup`<div class="strip" role="region" tabindex="0" aria-label="Reconstructions, ${label}">
      <table>
        <thead>
          <tr>
            <th scope="col">${label}</th>
            ${answers.map((_, t) => markup`<th scope="col">t = ${t}</th>`)}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">input</th>
            ${answers.map(() => cell(image, `the image, ${label}`))}
          </tr>
          ${rows}
          <tr>
            <th scope="row">answer</th>
            ${answers.map((answer) => markup`<td><b class="${right(answer)}">${answer}</b></td>`)}
          </tr>
        </tbody>
      </table>
    </div>`,
    `${label}: the image that the network gets at every timestep, the reconstructions from its layers, and its answer.`,
  );
}

async function corruptionSection(report: PredictiveCodingReport): Promise<Section | undefined> {
  const chart = await mceChart(report);
  if (!chart) return undefined;
  const names = [...new Set(report.corruptions.map(({ corruption }) => corruption))];
  const severities = [...new Set(report.corruptions.map(({ severity }) => severity))];
  const last = lastTimestep(report);
  const meanError = (rows: readonly CorruptionRow[], t: number) =>
    rows.reduce((sum, { accuracy }) => sum + 1 - accuracy[t]!, 0) / rows.length;
  const rowsOf = (name: string, setting: string) =>
    report.corruptions.filter((row) => row.corruption === name && row.setting === setting);
  return {
    id: "corruptions",
    title: "Common corruptions",
    lead: markup`${names.length} corruptions of Hendrycks &amp; Dietterich (2019) at severities ${severities.join(", ")}, computed by Striate. The chart shows the mean corruption error (mCE) divided by its value at timestep 0, as in the paper’s figure (not by AlexNet’s errors).`,
    body: markup`${chartFigure(chart, "Below 1 the dynamics help. Bands: range over seeds.")}
    ${table({
      label: "Error under each corruption",
      caption: `Mean error in % over severities and seeds; relative: timestep ${last} divided by timestep 0`,
      head: [
        "Corruption",
        "timestep 0",
        ...FAMILIES.flatMap(({ name }) => [`${name}, timestep ${last}`, "relative"]),
      ],
      rows: names.map((name) => ({
        name: name.replaceAll("_", " "),
        cells: [
          percent(meanError(rowsOf(name, "tuned"), 0)),
          ...FAMILIES.flatMap(({ family }): Content[] => {
            const rows = rowsOf(name, family);
            const end = meanError(rows, last);
            return [percent(end), number(end / meanError(rows, 0), 3)];
          }),
        ],
      })),
    })}
    ${table({
      label: "Change under each family of corruptions",
      caption: `Change of accuracy in points from timestep 0 to timestep ${last}, answers gained / lost over all seeds, and z`,
      head: ["Family", ...FAMILIES.flatMap(({ name }) => [`${name}, change`, "gained / lost", "z"])],
      rows: [...new Set(report.families.map(({ family }) => family))].map((kind) => ({
        name: kind,
        cells: FAMILIES.flatMap(({ family: setting }): Content[] => {
          const row = report.families.find((one) => one.setting === setting && one.family === kind)!;
          return [points(row.change), `${row.gained} / ${row.lost}`, number(row.z)];
        }),
      })),
    })}
    ${note("note", "z is the change divided by its standard error over images, if the dynamics changed nothing on average. Answers about one image under several corruptions go together, so each image counts once. The error over seeds is not in z.")}`,
  };
}

/** The texts of the sections about quantities of each PCoder. */
const PCODER_TEXTS = {
  distances: {
    title: "Do noisy representations approach the clean one?",
    lead: "Correlation distance between a layer’s representations of the noisy and of the clean image at the same timestep, divided by the distance at timestep 0 (the paper’s manifold projection). If a line falls, the dynamics pull noisy states towards clean ones.",
    caption: "Tuned values, one chart for each PCoder, lowest first. Bands: range over seeds.",
  },
  errors: {
    title: "Prediction errors",
    lead: "Mean squared error between each PCoder’s prediction and the layer below, at every timestep, divided by the error at timestep 0. The error term of the dynamics takes a gradient step that lowers this error.",
    caption: "Tuned values. Bands: range over seeds.",
  },
} as const;

async function pcoderSection(
  report: PredictiveCodingReport,
  id: keyof typeof PCODER_TEXTS,
): Promise<Section> {
  const { caption, ...texts } = PCODER_TEXTS[id];
  const tuned = chartFigure(await pcoderCharts(report, id, "tuned"), caption);
  const authors = chartFigure(await pcoderCharts(report, id, "authors"), "The authors’ values.");
  return { id, ...texts, body: [tuned, details("The same with the authors’ values", authors)] };
}

function valuesSection(report: PredictiveCodingReport): Section {
  const cells = (
    { feedforward, feedback, error }: (typeof report.values)[number]["tuned"][number],
    last: boolean,
  ) => {
    // The last PCoder has nothing above it, so lambda has no effect there.
    const memory = 1 - feedforward - (last ? 0 : feedback);
    return [number(feedforward), last ? "–" : number(feedback), number(memory), number(error)];
  };
  const first = report.values[0]!;
  return {
    id: "values",
    title: "The values",
    lead: "Feedforward (beta), feedback (lambda), memory (1 - beta - lambda) and error step (alpha) of each PCoder. Tuning minimises the cross-entropy on noisy training images with gradients through the timesteps; the decoders are frozen.",
    body: table({
      label: "Hyper-parameters",
      head: ["PCoder", "feedforward", "feedback", "memory", "error"],
      rows: [
        {
          name: markup`all<small>the authors’ evaluations</small>`,
          cells: cells(first.authors[0]!, false),
        },
        ...report.values.flatMap(({ seed, tuned }) =>
          tuned.map((values, i) => ({
            name: markup`${i + 1}<small>tuned, seed ${seed}</small>`,
            cells: cells(values, i === tuned.length - 1),
          })),
        ),
      ],
    }),
  };
}

async function networkSection(report: PredictiveCodingReport): Promise<Section> {
  const { network, pcoders, decoders } = report;
  const training = await trainingChart(report);
  const unexplained = (i: number) =>
    average(decoders.map(({ curve, targetVariances }) => curve.at(-1)!.errors[i]! / targetVariances[i]!));
  const accuracies = network.runs.map(({ seed, accuracy }) => `${percent(accuracy)} % (seed ${seed})`);
  return {
    id: "network",
    title: "The network and its decoders",
    lead: `${network.name}, ${network.parameters.toLocaleString("en-GB")} parameters; accuracy on held-out training images: ${accuracies.join(", ")}. The network is frozen; the decoders learn without labels.`,
    body: markup`${table({
      label: "PCoders",
      head: ["PCoder", "after", "representation", "predicts", "unexplained variance"],
      rows: pcoders.map(({ after, shape, target }, i) => ({
        name: i + 1,
        cells: [
          markup`<code>${after}</code>`,
          shape.join(" × "),
          target.join(" × "),
          `${percent(unexplained(i))} %`,
        ],
      })),
    })}
    ${chartFigure(
      await decoderChart(report),
      "Prediction error on held-out images, divided by the variance of the target, while the decoders are trained. At 100 %, a decoder is no better than predicting the mean.",
    )}
    ${training ? chartFigure(training, "Accuracy of the feed-forward network while it is trained. Bands: range over seeds.") : null}`,
  };
}
