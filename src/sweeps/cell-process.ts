import { findExperiment } from "../experiments/registry.js";
import { serveCells } from "./serve-cells.js";

// The process that a worker starts to compute cells; see serve-cells.ts.
serveCells(findExperiment);
