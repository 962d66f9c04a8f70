import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExplorerView } from "../experiments/explorer-views.js";

/** The built explorer of this package. */
export const SITE = fileURLToPath(new URL("../../explorer-site/", import.meta.url));

/** The command that shows a view of the explorer. In a clone, which does not contain the built page, npm builds it first. */
export function exploreCommandLine(
  view: ExplorerView,
  isBuilt = existsSync(join(SITE, "index.html")),
): string {
  return isBuilt ? `striate explore --view ${view}` : `npm run explorer:show -- --view ${view}`;
}
