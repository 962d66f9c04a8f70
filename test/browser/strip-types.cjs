// A loader for webpack: TypeScript to JavaScript by esbuild.
const { transformSync } = require("esbuild");

module.exports = (source) => transformSync(source, { loader: "ts" }).code;
