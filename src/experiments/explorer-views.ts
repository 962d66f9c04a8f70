/** The views of the explorer, by the names that its addresses have. */
export const EXPLORER_VIEWS = ["komplexnet", "akorn", "sudoku", "predify", "v1"] as const;

export type ExplorerView = (typeof EXPLORER_VIEWS)[number];
