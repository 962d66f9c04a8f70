export type { Attack, AttackInput, AttackOutcome, GradientReport } from "./attack.js";
export { attackBatch } from "./attack.js";
export type { ApgdAttackOptions, ApgdOptions, ApgdRun } from "./apgd.js";
export { apgdAttack, apgdRun } from "./apgd.js";
export type { Norm } from "./ball.js";
export type { AttackPlan } from "./ensemble.js";
export {
  ATTACK_NAMES,
  attackPlan,
  checkPlan,
  gradientWarnings,
  isDeterministic,
  planCautions,
  planWarnings,
  plusEnsemble,
  quickEnsemble,
  shortAttackName,
  standardEnsemble,
  stochasticEnsemble,
} from "./ensemble.js";
export type { FabAttackOptions, FabOptions, FabRun } from "./fab.js";
export { fabAttack, fabRun } from "./fab.js";
export type { PgdAttackOptions, PgdOptions } from "./simple.js";
export { bim, fgsm, pgd, pgdAttack, randomSign } from "./simple.js";
export type { SquareAttackOptions, SquareOptions, SquareRun } from "./square.js";
export type { Uniforms } from "./square-moves.js";
export { squareAttack, squareRun } from "./square.js";
export type { PgdForm } from "./steps.js";
