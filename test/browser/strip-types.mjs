// A loader for webpack: TypeScript to JavaScript by esbuild.
import { transformSync } from "esbuild";

export default (source) => transformSync(source, { loader: "ts" }).code;
