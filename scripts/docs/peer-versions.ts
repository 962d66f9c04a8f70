/** What stands before a peer's version in the README's table, and the package that the version belongs to. */
const PEERS = [
  { before: "TensorFlow.js", name: "@tensorflow/tfjs" },
  { before: "jax-js", name: "@jax-js/jax" },
  { before: "its ONNX package", name: "@jax-js/onnx" },
] as const;

/** A line for every peer whose version in the README is not the newest one. */
export function stalePeers(readme: string, newest: (name: string) => string): string[] {
  return PEERS.flatMap(({ before, name }) => {
    const stated = new RegExp(`${before} (\\d+\\.\\d+\\.\\d+)`).exec(readme)?.[1];
    if (stated === undefined) throw new Error(`README.md: no version stands after "${before}"`);
    const there = newest(name);
    return there === stated ? [] : [`${before}: the README looks at ${name} ${stated}, npm has ${there}`];
  });
}
