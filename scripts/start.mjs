// npm start [-- OPTIONS]: the main experiment from a fresh clone; OPTIONS are those of "striate run".
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { bootstrap, root } from "./bootstrap.mjs";

bootstrap();
const main = join(root, "dist", "cli", "main.js");
process.argv = [process.argv[0], main, "run", "overlapping-digits", ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
