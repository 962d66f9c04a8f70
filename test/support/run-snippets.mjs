// Imports the modules that its arguments name, one after the other, and writes as JSON what each of them printed.
import { pathToFileURL } from "node:url";

const results = [];
for (const path of process.argv.slice(2)) {
  const lines = [];
  console.log = (...values) => lines.push(values.map(String).join(" "));
  try {
    await import(pathToFileURL(path).href);
    results.push({ lines });
  } catch (cause) {
    results.push({ lines, error: String(cause?.stack ?? cause) });
  }
}
// A snippet may leave a session open.
process.stdout.write(JSON.stringify(results), () => process.exit(0));
