import { MessageChannel } from "node:worker_threads";

/**
 * Frees the memory of an array at once. The garbage collector often keeps the hundreds of megabytes of a model in
 * memory until the next session needs as much.
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer)) return;
  // A sent buffer belongs to its message, which is freed together with the receiving port.
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(undefined, [buffer]);
  port2.close();
}
