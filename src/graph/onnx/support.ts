import { loaded, operatorOf } from "../operator.js";
import * as operators from "../all-operators.js";
import { COMPOSITIONS } from "./convert/compose.js";
import { CONVERSIONS } from "./convert/convert.js";
import { SEQUENCE_OPERATORS } from "./read/sequences.js";
import { OPERATOR_SINCE } from "./standard-operators.js";

/** How the reader treats a standard operator. */
export interface Support {
  readonly name: string;
  /** The version of the standard that introduced the operator. */
  readonly since: number;
  /**
   * What the reader turns a node into. "itself": the same operator of Striate; "decomposed": a composition of
   * other operators; "converted": another form, such as an input or a constant; "refused": an error.
   */
  readonly read: "itself" | "decomposed" | "converted" | "refused";
  /**
   * "rule": the operator is differentiated; "zero": no gradient flows through it; "refused": differentiating
   * it is an error.
   */
  readonly gradient: "rule" | "zero" | "refused" | undefined;
  /**
   * Whether lowering for at least one target replaces the operator, or some forms of it, by other operators.
   */
  readonly isLowered: boolean;
}

/**
 * Gradients of operators that no table of Striate's operators has, because the code of the reader handles them or
 * composes them of others. Those that are not listed have a rule.
 */
const BY_READER: Readonly<Record<string, Support["gradient"]>> = {
  Constant: "zero",
  If: "rule",
  Loop: "rule",
  OptionalHasElement: "zero",
  Scan: "rule",
  SequenceLength: "zero",
  SequenceMap: "rule",
  TfIdfVectorizer: "zero",
  "ai.onnx.ml::Binarizer": "zero",
  "ai.onnx.ml::LabelEncoder": "zero",
  "ai.onnx.ml::OneHotEncoder": "zero",
};

/** How the reader treats every operator of the standard, sorted by name. */
export function operatorSupport(): readonly Support[] {
  loaded(operators);
  const all = [...OPERATOR_SINCE].sort(([a], [b]) => (a < b ? -1 : 1));
  return all.map(([name, since]): Support => {
    const operator = operatorOf(name);
    if (operator !== undefined) {
      const gradient = operator.gradient === "zero" ? "zero" : operator.gradient ? "rule" : "refused";
      return { name, since, read: "itself", gradient, isLowered: operator.lower !== undefined };
    }
    if (COMPOSITIONS.has(name))
      return { name, since, read: "decomposed", gradient: BY_READER[name] ?? "rule", isLowered: false };
    if (CONVERSIONS.has(name) || SEQUENCE_OPERATORS.has(name) || name in BY_READER)
      return { name, since, read: "converted", gradient: BY_READER[name] ?? "rule", isLowered: false };
    return { name, since, read: "refused", gradient: undefined, isLowered: false };
  });
}

/** Operators of the standard's other domains that the reader composes of others, as `DOMAIN::NAME`, with their gradients. */
export function otherDomainSupport(): readonly Pick<Support, "name" | "gradient">[] {
  const names = [...COMPOSITIONS.keys()].filter((name) => name.includes("::")).sort();
  return names.map((name) => ({ name, gradient: BY_READER[name] ?? "rule" }));
}
