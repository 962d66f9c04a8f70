import type { Frame } from "../compute/frame.js";
import { UNITS } from "./phases.js";

const CLASSES = 10;
const NETWORKS = ["kuramoto", "random", "real"] as const;
const TURN = 2 * Math.PI;

/** Size of a frame in bytes: phases as fractions of a turn, then the logits of each network as float32. */
const FRAME = UNITS + 4 * CLASSES * NETWORKS.length;

/**
 * Encodes a run as bytes: the largest amplitude, the amplitudes as fractions of it, then the frames. Phases are stored
 * in steps of 1/256 turn, which is finer than the colours of a phase map.
 */
export function encodeRecording(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const { amplitudes } = frames[0]!;
  const most = amplitudes.reduce((a, b) => Math.max(a, b), 0);
  const bytes = new Uint8Array(4 + UNITS + frames.length * FRAME);
  const view = new DataView(bytes.buffer);
  view.setFloat32(0, most, true);
  amplitudes.forEach((value, i) => {
    bytes[4 + i] = Math.round((255 * value) / most);
  });
  for (const [t, { phases, logits }] of frames.entries()) {
    const at = 4 + UNITS + t * FRAME;
    phases.forEach((phase, i) => {
      bytes[at + i] = Math.round((256 * phase) / TURN) & 255;
    });
    for (const [n, name] of NETWORKS.entries())
      logits[name].forEach((value, i) => {
        view.setFloat32(at + UNITS + 4 * (n * CLASSES + i), value, true);
      });
  }
  return bytes;
}

/** Decodes the frames that {@link encodeRecording} wrote; an empty list if the bytes are not a recording. */
export function decodeRecording(bytes: Uint8Array<ArrayBuffer>): readonly Frame[] {
  const count = (bytes.length - 4 - UNITS) / FRAME;
  if (!Number.isInteger(count) || count < 1) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const most = view.getFloat32(0, true);
  const amplitudes = Float32Array.from({ length: UNITS }, (_, i) => (bytes[4 + i]! * most) / 255);
  return Array.from({ length: count }, (_, t) => {
    const at = 4 + UNITS + t * FRAME;
    const logitsOf = (n: number) =>
      Float32Array.from({ length: CLASSES }, (_, i) =>
        view.getFloat32(at + UNITS + 4 * (n * CLASSES + i), true),
      );
    return {
      amplitudes,
      phases: Float32Array.from({ length: UNITS }, (_, i) => (bytes[at + i]! * TURN) / 256),
      logits: { kuramoto: logitsOf(0), random: logitsOf(1), real: logitsOf(2) },
    };
  });
}

/**
 * Loads the recording that comes with the page: the run for the initial settings. A missing recording is not
 * an error, because the networks can compute the run.
 */
export async function loadRecording(): Promise<readonly Frame[]> {
  try {
    const response = await fetch(new URL("start.bin", document.baseURI));
    return response.ok ? decodeRecording(new Uint8Array(await response.arrayBuffer())) : [];
  } catch {
    return [];
  }
}
