import { MessageChannel } from "node:worker_threads";

/**
 * Frees the memory of an array immediately. The garbage collector often keeps a model of hundreds of
 * megabytes in memory until the next session needs as much.
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer)) return;
  // A transferred buffer belongs to its message, which is freed together with the receiving port.
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(undefined, [buffer]);
  port2.close();
}
