import { en } from "./en.js";
import type { Texts } from "./en.js";
import { translations } from "./translations.js";

/** The texts that all views share, and those of the view of KomplexNet. */
export const textsOf = translations<Texts>(en, async () => (await import("./zh.js")).zh);
