/** The templates of projects, with what each of them is. The files are in the folder templates/ of the package. */
export const TEMPLATES = {
  page: "a page that trains a network in the tab, for Vite",
  node: "a program that trains a network in Node",
  images: "a recipe to train a network on your own images",
  system: "a dynamical system of your own, with a gradient check",
} as const;

export type TemplateName = keyof typeof TEMPLATES;
