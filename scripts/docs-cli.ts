// npm run docs:cli: writes docs/cli.md from the tables of the code.
import { writeFileSync } from "node:fs";
import { CLI_PAGE, cliPage } from "./cli-page.js";

writeFileSync(CLI_PAGE, await cliPage());
