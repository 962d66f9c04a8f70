import type { Json } from "../../util/json.js";

/**
 * Writes plain data as YAML, in blocks. Texts and keys are in JSON's quotation marks if YAML could read them as anything
 * else; JSON's scalars are YAML's.
 */
export function frontMatter(value: Readonly<Record<string, Json>>): string {
  return `---\n${block(value, "")}---\n`;
}

function block(value: Json, indent: string): string {
  if (Array.isArray(value))
    return value.map((item: Json) => `${indent}- ${inside(item, `${indent}  `).trimStart()}`).join("");
  return Object.entries(value as Readonly<Record<string, Json>>)
    .map(([key, item]) => {
      const text = inside(item, `${indent}  `);
      return isBlock(item) ? `${indent}${scalar(key)}:\n${text}` : `${indent}${scalar(key)}: ${text}`;
    })
    .join("");
}

function inside(item: Json, indent: string): string {
  return isBlock(item) ? block(item, indent) : `${scalar(item)}\n`;
}

function isBlock(item: Json): boolean {
  return typeof item === "object" && item !== null && Object.keys(item).length > 0;
}

/** Words that YAML does not read as texts. */
const RESERVED = /^(true|false|null|yes|no|on|off|y|n)$/i;

function scalar(value: Json): string {
  const isPlain =
    typeof value === "string" &&
    /^[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$/.test(value) &&
    !RESERVED.test(value);
  return isPlain ? value : JSON.stringify(value);
}
