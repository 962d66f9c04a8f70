import { MessageChannel } from "node:worker_threads";

/**
 * Gives the memory below some bytes back at once. Left to the garbage collector, the hundreds of megabytes of a model that a
 * session was opened from often stay until the next one needs as much.
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer)) return;
  // A buffer that was sent belongs to its message, which goes with the port that should have received it.
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(undefined, [buffer]);
  port2.close();
}
