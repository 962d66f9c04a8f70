import { join } from "node:path";
import { openAppendFile } from "../../src/util/append-file-node.js";
import { writeFileAtomic } from "../../src/util/files-node.js";

// Runs under `ulimit -f`: prints what the writers say about files that are too large.
const folder = process.argv[2]!;
await writeFileAtomic(join(folder, "a.txt"), "x".repeat(200_000)).catch((error: unknown) => {
  console.log((error as Error).message);
});
const log = openAppendFile(join(folder, "log"));
log.append("one\n");
try {
  log.append("x".repeat(200_000));
} catch (error) {
  console.log((error as Error).message);
}
log.close();
