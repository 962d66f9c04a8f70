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
  /** The result: an operator of Striate, a composition of other operators, an input or constant, or an error. */
  readonly read: "itself" | "decomposed" | "converted" | "refused";
  /**
   * "rule": the operator is differentiated; "zero": no gradient flows through it; "refused": differentiating it is an
   * error.
   */
  readonly gradient: "rule" | "zero" | "refused" | undefined;
  /** Whether lowering for some target replaces the operator, or some form of it, by other operators. */
  readonly isLowered: boolean;
}

/** Operators that the reader itself handles, without a table: those with bodies, and constants. */
const BY_READER: Readonly<Record<string, Support["gradient"]>> = {
  Constant: "zero",
  If: "rule",
  Loop: "rule",
  Scan: "rule",
  SequenceLength: "zero",
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
      return { name, since, read: "decomposed", gradient: "rule", isLowered: false };
    if (CONVERSIONS.has(name) || SEQUENCE_OPERATORS.has(name) || name in BY_READER)
      return { name, since, read: "converted", gradient: BY_READER[name] ?? "rule", isLowered: false };
    return { name, since, read: "refused", gradient: undefined, isLowered: false };
  });
}
