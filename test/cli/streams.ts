import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { Streams } from "../../src/cli/terminal/streams.js";

/** Streams that keep what is printed, colours removed. */
export function captured(): { streams: Streams; out: () => string; err: () => string } {
  const pipes = { out: new PassThrough(), err: new PassThrough() };
  const texts = { out: "", err: "" };
  for (const key of ["out", "err"] as const) {
    pipes[key].on("data", (chunk: Buffer) => (texts[key] += chunk.toString()));
  }
  return {
    streams: pipes as unknown as Streams,
    out: () => stripVTControlCharacters(texts.out),
    err: () => stripVTControlCharacters(texts.err),
  };
}
