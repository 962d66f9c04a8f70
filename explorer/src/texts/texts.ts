import { en } from "./en.js";
import { zh } from "./zh.js";

/** The texts of the page in each language. */
export const TEXTS = { en, zh } as const;
