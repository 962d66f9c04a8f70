import * as ortNode from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { add, input, lower, mul, parameter, tensorData, writeOnnx } from "../../src/graph/index.js";
import { zeros } from "../../src/nn/init.js";
import { openHostProgram } from "../../src/runtime/host-program.js";
import { outputCopies } from "../../src/runtime/output-copies.js";
import type { Ort } from "../../src/runtime/ort.js";
import { nextName } from "../../src/runtime/runtime.js";

type Run = ortNode.InferenceSession["run"];

/** onnxruntime-node, but sessions run by `run`, which gets the session's own method. */
function ortThat(run: (own: Run) => Run): Ort {
  const create = async (...args: Parameters<typeof ortNode.InferenceSession.create>) => {
    const session = await ortNode.InferenceSession.create(...args);
    return Object.assign(session, { run: run(session.run.bind(session)) });
  };
  return {
    Tensor: ortNode.Tensor,
    InferenceSession: { create },
  };
}

const today: Ort = { Tensor: ortNode.Tensor, InferenceSession: ortNode.InferenceSession };

/** Does not copy an output that was written into a tensor of the caller. */
const copiesNothing = ortThat((own) => async (feeds, fetches, ...rest) => {
  const results = await own(feeds, fetches as ortNode.InferenceSession.FetchesType, ...(rest as []));
  const wanted = fetches as Record<string, ortNode.Tensor | null>;
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, wanted[name] ?? tensor]));
});

/** Fails before it runs if an output is no tensor, and writes nothing into tensors of the caller. */
const refusesSequences = ortThat((own) => async (feeds, fetches, ...rest) => {
  if ("striate:unread" in (fetches as object)) throw new Error("sequences are not allowed");
  const nameless = Object.fromEntries(Object.keys(fetches as object).map((name) => [name, null]));
  return own(feeds, nameless, ...(rest as []));
});

describe("outputs of a program in buffers of ours", () => {
  it("are copied by the installed onnxruntime-node unless an output is unread", async () => {
    // "none" here means that a new version no longer copies: withUnreadOutput and runUncopied can then be deleted.
    expect(await outputCopies(today)).toBe("avoidable");
  });

  it.each([
    ["as today", today, "avoidable"],
    ["by a version that copies nothing", copiesNothing, "none"],
    ["by a version that refuses sequences", refusesSequences, "always"],
  ] as const)("hold the right state %s", async (_, ort, copies) => {
    const x = input("x", [2, 2]);
    const w = parameter([2, 2], zeros, { name: "w" });
    const { bytes } = writeOnnx(lower({ [nextName("w")]: add(w, x), seen: add(x, mul(w, 2)) }, "portable"));
    const program = await openHostProgram(
      ort,
      { model: bytes, state: { w: tensorData([1, 2, 3, 4], [2, 2]) } },
      {},
    );
    const feeds = { x: tensorData([1, 1, 1, 1], [2, 2]) };
    expect([...(await program.step(feeds)).seen!.data]).toEqual([3, 5, 7, 9]);
    expect([...(await program.step(feeds)).seen!.data]).toEqual([5, 7, 9, 11]);
    expect([...(await program.readState()).w!.data]).toEqual([3, 4, 5, 6]);
    await program.close();
    expect(await outputCopies(ort)).toBe(copies);
  });
});
