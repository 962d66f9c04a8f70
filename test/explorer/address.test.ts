import { describe, expect, it } from "vitest";
import type { AddressFormat, ViewState } from "../../explorer/src/address.js";
import { readAddress, readView, writeAddress } from "../../explorer/src/address.js";
import { OBJECT_ADDRESS } from "../../explorer/src/akorn/state.js";
import { KOMPLEXNET_ADDRESS } from "../../explorer/src/komplexnet/state.js";
import { PREDIFY_ADDRESS } from "../../explorer/src/predify/state.js";
import { SUDOKU_ADDRESS } from "../../explorer/src/sudoku/state.js";
import { V1_ADDRESS } from "../../explorer/src/v1/state.js";

interface Case {
  readonly format: AddressFormat<ViewState>;
  /** An address with other values than the initial ones. */
  readonly address: string;
  /** Parts that are unknown, badly written or out of range. */
  readonly wrong: readonly string[];
}

const board = `${"1".padEnd(80, ".")}9`;

const CASES: Readonly<Record<string, Case>> = {
  komplexnet: {
    format: KOMPLEXNET_ADDRESS as never,
    address: "digits=32@16,25,15&rate=0.01&palette=two-hue&language=zh",
    wrong: ["digits=400@1,1,1", "rate=7", "palette=grey", "size=9"],
  },
  akorn: {
    format: OBJECT_ADDRESS as never,
    address: "pieces=3,0,2,0;9,2,4,2&rate=0.5&timesteps=8",
    wrong: ["pieces=99,0,0,0", "rate=9", "timesteps=2.5"],
  },
  sudoku: {
    format: SUDOKU_ADDRESS as never,
    address: `board=${board}&timesteps=16&start=8&cell=80`,
    wrong: ["board=12", "cell=81", "start=9"],
  },
  predify: {
    format: PREDIFY_ADDRESS as never,
    address: "source=swapped&sample=99&x=17&angle=-15&noise=0&choice=sliders&alpha=1.5",
    wrong: ["beta=2", "choice=best", "source=file", "sample=100"],
  },
  v1: {
    format: V1_ADDRESS as never,
    address: "stimulus=own&drift=0&variant=unif1&cell=63",
    wrong: ["cell=64", "variant=biology", "noise=maybe"],
  },
};

describe.each(Object.entries(CASES))("the address of %s", (_, { format, address, wrong }) => {
  it("comes back as it was written", () => {
    const { state, ignored } = readAddress(`#${address}`, format);
    expect(ignored).toEqual([]);
    expect(writeAddress(state, format)).toBe(address);
    expect(writeAddress(format.start, format)).toBe("");
  });

  it.each(wrong)("ignores %s, says so, and reads the rest", (part) => {
    const { state, ignored } = readAddress(`#${part}&seed=2`, format);
    expect(ignored).toEqual([part.split("=")[0]]);
    expect(writeAddress(state, format)).toBe("seed=2");
  });
});

it("an address without a view, or with an unknown one, opens the first view", () => {
  expect(readView("")).toEqual({ view: "komplexnet", ignored: [] });
  expect(readView("?view=sudoku")).toEqual({ view: "sudoku", ignored: [] });
  expect(readView("?view=v2")).toEqual({ view: "komplexnet", ignored: ["view"] });
});
