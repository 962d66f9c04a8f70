// npm run peers: compares the versions that the README's table of peers names with those of the npm registry.
import { execFileSync } from "node:child_process";
import { readPage } from "./snippets.js";
import { stalePeers } from "./peer-versions.js";

const newest = (name: string): string =>
  execFileSync("npm", ["view", name, "version"], { encoding: "utf8" }).trim();
const stale = stalePeers(readPage("README.md"), newest);
for (const line of stale) console.log(line);
if (stale.length === 0)
  console.log("The README names the newest versions that npm has. onnxsim is not on npm: look it up.");
process.exitCode = stale.length === 0 ? 0 : 1;
