import { signal } from "@preact/signals";
import type { Language } from "../address.js";

/**
 * Texts in each language. Chinese is loaded if it is wanted for the first time; English is shown until then, and if it
 * cannot be loaded. To be called while a component is rendered, which is then rendered again in Chinese.
 */
export function translations<Texts>(
  en: Texts,
  loadChinese: () => Promise<Texts>,
): (language: Language) => Texts {
  const zh = signal<Texts | undefined>(undefined);
  return (language) => {
    if (language === "en") return en;
    if (zh.value === undefined)
      loadChinese().then(
        (texts) => {
          zh.value = texts;
        },
        () => undefined,
      );
    return zh.value ?? en;
  };
}
