// The process that computes the toy's cells. Workers in tests start it from processes with and without the hooks.
import "../support/typescript-hooks.mjs";

const { serveCells } = await import("../../src/sweeps/serve-cells.ts");
const { toy } = await import("./toy.ts");
serveCells(() => toy);
