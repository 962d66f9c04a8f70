// npm run peers: compares the versions in the README's table of peers with those in the npm registry.
import { execFileSync } from "node:child_process";
import { readPage } from "./snippets.js";
import { stalePeers } from "./peer-versions.js";

const newest = (name: string): string =>
  execFileSync("npm", ["view", name, "version"], { encoding: "utf8" }).trim();
const stale = stalePeers(readPage("README.md"), newest);
for (const line of stale) console.log(line);
if (stale.length === 0)
  console.log(
    "The README names the newest versions on npm. onnxsim is not on npm; check its version by hand.",
  );
process.exitCode = stale.length === 0 ? 0 : 1;
