import { models } from "./models.js";
import { numbers } from "./numbers.js";
import { pictures } from "./pictures.js";
import type { Sample } from "./sample.js";
import { texts } from "./texts.js";

/** All samples, always in the same order. `folder` is for files that are needed once. */
export async function samples(folder: string): Promise<readonly Sample[]> {
  return [...models(), ...(await numbers(folder)), ...(await pictures()), ...(await texts(folder))];
}
