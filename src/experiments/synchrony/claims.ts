import type { Claim, MeasuredClaim } from "../claims.js";
import { CLEAN_IMAGES, digitsClaim, NO_TABLES, NOISY_IMAGES } from "../digits/claim.js";
import type { SynchronyReport } from "./results.js";

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
  const feedback = { one: "feedback", other: "continued" };
  return [
    two && digitsClaim(two, { id: "feedback-helps", ...feedback, ...CLEAN_IMAGES }),
    two && digitsClaim(two, { id: "feedback-helps-noise", ...feedback, ...NOISY_IMAGES }),
    three && digitsClaim(three, { id: "three-digits", one: "kuramoto", other: "real", ...CLEAN_IMAGES }),
  ].flatMap((claim) => claim ?? []);
}
