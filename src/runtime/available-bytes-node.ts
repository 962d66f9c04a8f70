import { freemem } from "node:os";

/** The memory in bytes that this process can still take, within the limits of its container if it has one. */
export function availableBytes(): number {
  // Node before 20.13 does not know limits.
  const { availableMemory = freemem } = process as { readonly availableMemory?: () => number };
  return availableMemory();
}
