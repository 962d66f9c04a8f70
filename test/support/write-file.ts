import { writeFileAtomic } from "../../src/util/files-node.js";

const [path = ""] = process.argv.slice(2);
await writeFileAtomic(path, "content");
