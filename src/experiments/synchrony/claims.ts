import type { Claim, MeasuredClaim } from "../claims.js";
import { digitsClaim } from "../digits/claim.js";
import type { SynchronyReport } from "./results.js";

const NO_TABLES = "not stated here: the paper’s tables were not available to us";

/** The claims of KomplexNet's paper on feedback and on three digits. */
export const SYNCHRONY_CLAIMS: readonly Claim[] = [
  {
    id: "feedback-helps",
    paper: "komplexnet",
    claim: "Feedback makes KomplexNet better than further training without feedback.",
    published: NO_TABLES,
  },
  {
    id: "feedback-helps-noise",
    paper: "komplexnet",
    claim: "Feedback makes KomplexNet more robust to noise than further training without feedback.",
    published: NO_TABLES,
  },
  {
    id: "three-digits",
    paper: "komplexnet",
    claim: "KomplexNet recognises three digits better than a real-valued network of its size.",
    published: NO_TABLES,
  },
];

/** What a run measured about {@link SYNCHRONY_CLAIMS}. */
export function synchronyClaims({ sets }: SynchronyReport): MeasuredClaim[] {
  const set = (id: string) => sets.find((one) => one.id === id);
  const [two, three] = [set("digits2"), set("digits3")];
  const clean = { conditions: ["clean"], measure: "set accuracy on clean images" };
  const noise = {
    conditions: ["noise", "saltAndPepper"],
    measure: "set accuracy, mean over Gaussian noise and salt and pepper",
  };
  const feedback = { one: "feedback", other: "continued" };
  return [
    two && digitsClaim(two, { id: "feedback-helps", ...feedback, ...clean }),
    two && digitsClaim(two, { id: "feedback-helps-noise", ...feedback, ...noise }),
    three && digitsClaim(three, { id: "three-digits", one: "kuramoto", other: "real", ...clean }),
  ].flatMap((claim) => claim ?? []);
}
