import { loaded, operatorOf } from "../operator.js";
import * as operators from "../all-operators.js";
import { COMPOSITIONS } from "./convert/compose.js";
import { CONVERSIONS } from "./convert/convert.js";
import { SEQUENCE_OPERATORS } from "./read/sequences.js";
import { OPERATOR_SINCE } from "./standard-operators.js";

/** What becomes of a standard operator in a file that is read. */
export interface Support {
  readonly name: string;
  /** The version of the standard that brought it. */
  readonly since: number;
  /** As an operator of Striate, composed of other operators, as an input or constant, or refused. */
  readonly read: "itself" | "decomposed" | "converted" | "refused";
  /** "rule": differentiated; "zero": nothing can be learned through it; "refused": one clear error. */
  readonly gradient: "rule" | "zero" | "refused" | undefined;
  /** Whether some target gets it, or some form of it, as other operators. */
  readonly isLowered: boolean;
}

/** Operators that the reader handles itself, without a table: bodies and constants. */
const BY_READER: Readonly<Record<string, Support["gradient"]>> = {
  Constant: "zero",
  If: "rule",
  Loop: "rule",
  Scan: "rule",
  SequenceLength: "zero",
};

/** Every operator of the standard, by name. */
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
