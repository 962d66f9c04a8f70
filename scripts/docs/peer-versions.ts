/** The words before a peer's version in the README's table, with the package that has this version. */
const PEERS = [
  { before: "TensorFlow.js", name: "@tensorflow/tfjs" },
  { before: "jax-js", name: "@jax-js/jax" },
  { before: "its ONNX package", name: "@jax-js/onnx" },
] as const;

/** A line for every peer whose version in the README is not the newest. */
export function stalePeers(readme: string, newest: (name: string) => string): string[] {
  return PEERS.flatMap(({ before, name }) => {
    const stated = new RegExp(`${before} (\\d+\\.\\d+\\.\\d+)`).exec(readme)?.[1];
    if (stated === undefined) throw new Error(`README.md: expected a version after "${before}", got none`);
    const newestVersion = newest(name);
    return newestVersion === stated
      ? []
      : [`${before}: the README names ${name} ${stated}, npm has ${newestVersion}`];
  });
}
