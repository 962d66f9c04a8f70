// npm run docs:operators: writes docs/operators.md from the tables of the code.
import { writeFileSync } from "node:fs";
import { PAGE, operatorsPage } from "./operators-page.js";

writeFileSync(PAGE, await operatorsPage());
