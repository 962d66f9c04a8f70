import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readPickle } from "../../src/data/formats/pickle.js";
import { readTorchCheckpoint } from "../../src/data/formats/torch-tensor-node.js";

/** Files that PyTorch 1.13 wrote, compressed; `w` is torch.arange(6.).reshape(2, 3). */
const FILES = {
  /** Beside the weights: argparse settings with a device, a NumPy number and array, and MultiStepLR's state; protocol 2 */
  settings:
    "eNqNVE1vE0cYXntjJywlSUPLV9tAocCmgBNCS6FAYwyYwhbjbFVpVSlazc5Ovauud/3uzAalUqRwcMA3OJZDhcSlx95Qb5U4canUX9Gf0b4za4ztKBIjj2f3/Xqe92OnaekTmjY1pe1Ys9qcRlIahOts0SeCVDo/R/XatPbjyNoqboJmOiV0YJ2EBlCwdAcjomuLQ5Hi0SEpZ0aDtBnvEMoM0BcewsQmlEyniIZRCuXbK3/+Ktczp4wSn62HlMEkFQniG/mrAVOOjkrayWBPFwwb9ipUHv7COLy3BvtMq2AVWeYpeI9xAdM0ztqdjQpNUlZpZ5EISZqSDYNTEpHUgJlcb/hio4MAs4rPT5fg/d7jRzBnw34Tkymg7Cp80Gg07v6HS/1ZmoAPPerSxGeUGyyWDwYccPa8qd6r56tVOKjSiYgI4/NwaBsO23BkGz6y4WNnEhVByDHDDfhkF5puymgSc5FmVBgw3ycb+7kWjlpaF44FBxRDDz4NEOG4DScewWc2nJTV0LtwKtjfQ5PDO9r76o+V/lMVTktX04YFAZ97KgdOA+ZnEUvhzCacNR0DZe0wwqImMZb7HKVJFDEqQuRn3EiyWDCsZ2UTFrFkiFyyClkXlmw4r5rUIu02geW3bZbz5hHO3CjlcGENvhioiMKKCBduPlBfWpqq1jpLvYQzuNhz9uKrywXrYAMQGr6yCs4RKWsxgRFdbG/EfPdBKIIwVoZwqacwXRUYR+7yGnz9FjNToFwQwVw/pAKujCR4P/VZyvyboezD1QUbrpnOjKxIImtUIZUHLGwFAr7JJ7biZiKMuOyfl4WR7woW8yR115cNWDFNlY3sPGkxqPaHvB4lRHyfCw24rnq6BLXByN+wygJurlqaVbT0bbglq7wN9V4g6dwW8K0Nd5x9w5y8kHC4GyBgUA2uB7VAhbBW5VfShe/kcNzL3RsC7tvQzLJK05qcenFq/q+/EVbu5q63w7R2ceR2WFyq15bH7oZ3WXm0LTmLVfzh3sL9vCqZHHzy79NDqJB7dyYz2pkBE5wRjh2r106/K5ULhkT657fWD/LbLyqkgjwGWMP1mN2BPn5DjnsP5zA94jk/oY1VcNx3mNXMiO/vQ779nJtWuXz2TWj93MBUHztf9s+5Un6in5xH7XX/vaBkpXLuoyv73PZ/xUeY7A==",
  /** The same with protocol 4 */
  settings4:
    "eNp1VM9rE0EU3s3mV5PalhZ/oODVFDUtevEgNDaS0g7EVPEiyDLZHTOLm+wyM5uSQqEeUg3MQel40IN49B8Q8eAf4NH/wJs38epJ3+xuYxLpkNmXzL73ffO+915ayMoaRrFo/LeWjGUDM4d6fbLmYoGr4VO/sblgPJpah9nXPzNJwIGqyBwJA4cqZMksZh2uZBFMiBknSs41cZfwEDtEHavVZ0r7Z3ymtjY+v9Hrrcy7pO/Ba5kTATCr8cGxkpYTRmqo7sNL7u0Trh6rCjJRhkRtmW0TLpQ824u64aDqBIxUu5EvPMwYHgAKd7CPmUbJxS5gXTEIY9zMk1tq9OI5AFfg1uZt1Ww2d/7Aih/IEKpdT9T5vltTR/oCBepxuOBA0RU5bzPiBD0uWOQIwKPnZKHnJsTHChlDVTfbKoE3kTVU9NKofmFa6V8b6ZeaAjY5xx1K3MgnLJao1PV8SC/oQc6y7AS+TxzhASVcpB5EPUF0Zgf6+sCQQ2aUqNTB3S6eELfYxpzYPtPKjU+xLPmYCzstmyELfcLaAZRrJMs2FyS0Hc2hkCkv2h0iAMAGNX3i2nueoF4vdgLvoh0DQT0n4SNZ4gILYrseyEPXZfkecwkj7l0vlmsVdJGL3UCnW8XVPeJ1KFRyPq5/1Y6E50OeyyByO/J81xakxwNm929AbKUiC7oOuEMULcn5hh9g8SA9gMqa62nXoLxQu8hAGWQdKa3SkRrRO0AttFBnxuxtD3NFG5UK3aLbdIeiJBCabKh06f4FRVG1hQrFj1/2V35D9+vdOnWQFozy1CCtrTc2CydjlLgc6g6owQf2Iez3NQ1//uWPV7pV9D4dftG4OoaH4nFojcbmlZkxPXXdLGmmb+86D/UUZ2ImMx7oE67JJJf+Y5/9h5iNnsxhYSpy2zJmZJmNnbzV4lTsh4nYNOcWyuevpa8vW9fHrtaM/ZTa5WxiIa6g7df0txmf5fJJjBX7J75/AdZ0gaM=",
  /** The same with protocol 1 */
  settings1:
    "eNp9VFtz20QUlu3YSbY0CQV6o5S2lFalreO0XAoUYpLUJVVxHXWY0TCT0axWiyWQLR/tUTpmJjN95wUe4YHpT+CN4YWX/gJe+hfov4CzK9e1nQk7Wq205/Kdy7fbcSpzlrWwYB0YK9Yxi2ciivfkasiR1wffJ62NJeubqbEPlu1VSV0OUhFByal45I8MuwrKQqSDoZ/JLqOXSPsKs1xgmjGo2IJUBjxTkrV5T6oBF5LBnPD9II8TjPu+z9LgOymQQbWNUHNhfh8WbK9M3pMMFu+u//mLHr96NdoJ5V4sJDDtXUSs+GVwxPYqJBWDHF5BOOrCkolVxT9IBcu7sGI7Jacs88AEHUiF8Kro573BsC7STNZ7OYXCs4wPmRI84RT5MbtQYCEOBwTxWhHSt7fg9e1Gg2031hjCGy4ct6kUJZLchhPtdvvevzTMy7EQTgbCF2kohWKyrz8YnLK9xRelf/pkpwmnTWIJp1qswZsIZ1x4C+GsC2978ySIYkW5DuHcIfFOVpzB+RdR98NCDBdsHcg7EeHqKAO4GBHIuy5cQrjsgk2VoQwQrkTHdV5a79QBjjz9fX301YT3tP1VF64hXA9MLkpEMswTmUF9H1Ztj9FeL06oymmf6t8geiQJdTimONlmmvdRUoHX7H24QdDUmapTyhFuuvC+aVuX93ocPnjZec3agCvpJ5mCD3fho7GIG7CEK/QLYt5yLFO2PZkFqZLwsU7KO0I7vkI5oG4QPHzilLzTeq8rkZz61PNEhv6jGCNipFaET42hRvaNe+Li7V347CVybqAVcpR+GAuEz6fyfJCFMpPhVqzbsn7FhabtLevCpLpUdV5/JONuhPBFQeW6n2OcKN1OfTBCH2VfpZm/d4PBhm2bnDQReFfC5oj9rSTl+LDYZLBl+tuAO+Oj0HJqCHd3HMt2yrrFX5pqI2ybRuuY7iE4Ltz3jk4GFsRcwVcRoUab0VZ0JzJ+2juaKGWEB4YunbGPHQTXhYd5Xu848wvPfvxr7SIdMj07h945S9a5qTtntdHaODNz40yPwu6xpmGTHpqPaT5paswTP/3z80kS6Hk45rJ1dYxJ7FDUpdbG5f8FnRg3mUb6+7fu1/oWKBukkl7GWJOZrxxAn71hZ60nc1iassQ5a6ZWs7aTUS1P2T6fsB3l3HFqtWsj8dnK9bFqZWb9Y7S61WIlO81Ba7FW/JfMXrVW2FSMfqH7Hy7rphI=",
  /** Half, bfloat16 and complex tensors */
  halves:
    "eNqdk89u00AQxtd27ARTklD+t6X0gpRIkDQpQhwQQaZYSCtBCKpklUPkOkts1Y0z9ibiUolLK/XKsUKckDjwBIgLPAAH3oMnQBxYr6llb9QKupI18ni+7zfe2e1ipYBQqYRmVhXNIzt0XG9KmgOb2o3xtm8aZbSZW2/kXUA1i3kg1/ZfgeTQgIka/Qn1/Ejvh2Rr4vmDPiWjKAj707YOcq1mFVl9xCrtIQElkehPmP5FktOhYEmsZBVUS2HRGU9AwxqF4nOMsIyVfShhBUv7cObAcQLfJw71glGkPwsHJCSDdc+hOuj1HpylMNeDc5bKXLZC2xtB2WUNuEdQw/QDm7bupuAKB7eg6nLg+RQ4nwAvHLix70UKl3pwmf+IE+yMffIaruScHyVZ7p+6X+XubbjG3GUKC9x9DxaxtAdLifN1Css9uDFpdHGxtOt+/viSSeKne+yoyqieG1Vz1TRuCoM6ZjH1ffQQGWgdPY6Bvxa/f5hjyfg5CXgvD2yZxp1/A87wDx8sdIadw87XTsz/TetPT8Fvn56fX3EPG/jLzyq/ASf1UEFraQ9TEkbs/JlG83+bWNNj4o/3ww2ZecqcKMUhZWaPQHWmC/GGiursPMs55ScJCYdG1GZnkdcuyYK2JWqze5jXvhO1bVGb3Y1KTruiIHHPu1jTbv39vKzcTktVITalJL5VjgatxXcXfSsk7xLPqVqiUXl9UvsHNQ4UEg==",
  /** torch.nn.Sequential(Conv2d(1, 2, 1), BatchNorm2d(2)) itself */
  module:
    "eNrFVl171EQUzm5h2wZoS1FEUMAiuMWypZ+gIK0Fi7pYSgCNKMZsMrsTm032JJOtopWCli5+4ifghXf+BC/8GV7IrRd64a13XnpmJtvupsID5Xkk++wmOXPe952Z855kp/MtaxSlrU1ZcXQp3YoZWNSpkn7bZGauMuNOTnQo55qO+bTFfMzKeV6u7NuRS8Kc5XvMdDwSqKcJRMRjjumqoPRegtQcpLM6F2MBZjheCVpq+jq8NypmYJYJI0EIayzLd11iMcf3QvVkYJOA2Mcci6mwtleDjCAwClGxyLNbKQ+26dt40PM9o4JRJ2SoW88xQsKg3TLw3nGZ4xmGihEV1POwbgHWa7BB7xSUpjUzawa2QX1/JoQOwdypb+ZjTmgUI9dtzoGuKb2Djxb9oAG4UQC79e7GoUpA4uFNYvghfSMfDpnJiGHj6uLRh8XoZn0rH3V9025MWSZ5RKRtkctekeaHdbpHRd5WuWdxhWCbCD6W1VMY3Q+P/2cNq+pR/Bm0VdiOpdsxBzuztKVG1wjsE1k9g9hZ4pQog56YwIiY44aqERC+0/ZyUVXYdZsUrFPoB0Z1UIUns1m9FUlDzDRLBHZLiDqJy2OnZVCFPfGkn9Jb8GxVIsjm0wx6T+UVvMin+IfB3qy84tdPXxVT7mOwT4NcTdz0L8J+DQZ0NL9ScMwQBukuihOgu6kUGIAhKoiHkTifXoCRfGoBRiXVAQYHNXhGUj27CIc0OBxR6cTnaDtFYx1ZgDENxqk00fO0a4pKW0xQWf+jVFb6GJWlfIHKUk1SWZ3joi/QrBY1PY+4IbyYT+nrMeZHbDn4Uj4tEmdIgPdG6Fwg8DJf9xXIixKFLHBsAidk7BWxwxXTtnnzTeHSlCtwUrjDdlyTtxxMy9RTuiob1QvRT8QG7aowO8pXcAZ1jtOS44wQKwV+VAnhbDzTOIf7jsCr+loMXSCBH8Jr+k7ux4BUsT2JXSfDQIWgi9EWs45FQM9ycv5h8HpUiAtzbqVdCyazqOcHZXWCX03hFTfuG2jcN+fgfINx38rSnkSpB8GQpX47LrXJS12QpbYY2BoQWeriIpQ0oDRpliFwJMM7McMMZ3AlQ5mBp4EvGSqLABoEdbOEWbFPQeR5Yp+I6QFroh6GSFJXY+pZTv2upH6PwQUN3hcGqHNUzQA+aKIYgTlJ8WFMcZFTzEuKSwwua/CRvgkTvahsiJ0koYF1t2aw6B9LqrgVT/heaakTFwT7KFxBdmyzRWTv7ZWsNQZXNfgkkr3w6QJ8psHncS98sdwLX8a9cC3uha/iXvg67oVv4l74VuwSn14R7REF+Aj7Dn3PHwAE7fb98SN//vNz7Q/6tzBy2S/jwz8qw/XjY7/c5McPwpxmsYhvJbhRE4sVCzTqu8YfniHcrEWFKCrkpvOtbX+V+npuIYx/p2/7luxQck1vyf79kxN7E+/IOx2KMj+GNONcsfrTWI5L8O+dFA83Kw5MThy8B8Wk/vg4zkHoXz9z6+Iq9AfvT5+vf36M6187lfltFfpD96cvD67v/N5DVqE//ID1Rx7w/o/+v+vvVA4t6fO3B76xJicOrHYCQypX/vXH0tk0cqeFcoqflrQbnwNdK2aT/IecRDf2dEcTck+rknhyJLGN/diMvZHEDiSxjbVsxm5pS2AHk9jGOiR0k9ihu8duaU9gh+9+zjeS2JF70FUT2NEktrH6nc26DdjYa9P5TKYvHt7esm8ptT1x3pGW5+51dYNn+D8vZWCDvE+J2NqMxLSLfJn7L3Qxb7s=",
  /** Old format: five tensors, one complex, one transposed */
  old: "eNplkltv0zAUx5M4bSEwGHfGddwzLqUNKx0SEhNsE5K5hpe8oChLzBIU4p7EmWDSRF9WMT4DDzzy1fgISEjlOGmqtljxsXJs//7/c+S+9t2I//7Y+LP48debhWZfe/mbYNwFxXTmFUXppVxwn8fuNkuziCeg4gFnDnfiSIiYuSwJIi8B7ZtjYFJ86TE3i3ZYBmQXdNOpYTILeSqgRjWH4F+UCKhT3dElgydb0KB6nleaKmY9UH3BUz9surmI4sxwU7aZR3HgCpZkPHW3LQM003QaEo4nvS0GpLxibMTcE+/KpAF64ardtlrWcnula0Gt8OD3cvRQfyWg8ZYqVKNkAAcooeoADu77WG7MfIHVZsbrNGApC9YiXxhgLNlwSMBhG+YKo5twJEQfYaX9AssZSx+tpDsPH1ldqwXzYZ0SlDwmJckeHKfqHpzYDyX1pIBTNpwuqD6cKanhf+7PhqXrhQJBtQGco6o0f77EXBBw0YZLBWYHLk+Ze8Y/9WL2ebo/i5XCcrfdfWCtwBVUUFHhqlRAf9dkuF7Sbwi4acOtgh6AOUV/7sUfxtSlCWqng6XfHvm+M+723bLb90pyU8B9G1ryFbyXr2CmbHWWp83aJrPN1lmzrkyO/hMMq/jh7OP8uTqx/xh3nipryrqqTA8yWqu8NlqHw+FXuf4DruPIzQ==",
  /** torch.zeros(1).expand(2 ** 13, 2 ** 13) */
  expanded:
    "eNqNUkFKw0AU/ZO0SRy1La5cFNFdBW2LghsXQinZDGJsFYqbECdDDYamk0yzE1wVegnX3sBz1At4DZdOklKblIqfhEcm773/38xYRC0BGAasVQ32wAnpkxezlusIpzl+9s1OBR5y9aq8cBggyXc4oiKQgqY9EZ4fYTtkjxPPd23BRlEQ2vEZ5kqjMdAlOZJMZ8i4mkmw6QeO6GeLmJdSwzYvD1SJdDzhGkGC67cEruFQPlNuECAw5VszSgPfZ1R4wSjCN6HLQuZ2PSowx8c9vi34To/vRk2L6EY871+8S8PktTbmrkA9l7vVNjv7hdS/BamXbtS/ukfSEEp/elfhaukdszCSQ5udy43m/6hznHSfvw3vFemvpN1RAsv+q6lraxMVT7ioXs1VySm/C+pWu6hdnaqa094hKO6DRTTtZPH7QD1dUtUCfizwE2UodcmFgpmSfaN0raxlGjXlZ9wfPmKUQA==",
  /** {"a.b": w, "a": {"b": w}} */
  twice:
    "eNp9UsFOg0AQXdiW4mpp48WevFqjUqMfYNMYLmsi1pg0vRAKpCWS0oGltyY9NelNf8D4FyZe/AX1J/wFjy7QNEBTJwwDM++92RnQKS4hJMtow+poH5mBNXKnTss2malOHj2to6B+zubiDFCzhznBVAcgWMznHNWImOuFxAicQeR6tsGccegHxvSCgNhs9iocHnKkOXQApxSieb7J7tMkgVJP4JhzKCfS1iQCiUoMKncUUZHiBcgUU2EBO0vL8j3PsZjrj0NyG9hO4NjXrsUIkOMu7DLY60I1UTNBmUEteRxAfVQNI1WnFfn3/ebzg+di17euQ0Hl3Dpa51pHQP20OL/itza/uM+5v7Zj4YOnn+cGLzT+Fa6hk7Xw1AlCPofWOSqseatdkrjT18vwQeRaYtJJiMO6V3a8+kb34hcusrMzKPlzC6iwkCI3e6pajjvKcFcz61SSTlflQ3y2huJCfFvFbyGNnBf/TWgppu9CkitLKQcn+BT7BwwdkB0=",
};

const pathOf = async (name: keyof typeof FILES): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), "striate-torch-")), `${name}.pth`);
  await writeFile(path, inflateSync(Buffer.from(FILES[name], "base64")));
  return path;
};

const W = [0, 1, 2, 3, 4, 5];

describe("Checkpoints of PyTorch", () => {
  it.each(["settings1", "settings", "settings4"] as const)(
    "give their tensors, whatever lies beside them (%s)",
    async (name) => {
      const { tensors, unread } = await readTorchCheckpoint(await pathOf(name));
      expect([...tensors.keys()]).toEqual(["state_dict.module.a.weight", "state_dict.module.a.bias"]);
      expect(tensors.get("state_dict.module.a.weight")).toEqual({
        shape: [2, 3],
        data: Float32Array.from(W),
      });
      expect(tensors.get("state_dict.module.a.bias")).toEqual({ shape: [2], data: Float32Array.of(1, 4) });
      expect(unread.size).toBe(0);
    },
  );

  it("give numbers of 16 bits as float32 and name the tensors that cannot be read", async () => {
    const { tensors, unread } = await readTorchCheckpoint(await pathOf("halves"));
    expect(tensors.get("half")?.data).toEqual(Float32Array.from(W));
    expect([...tensors.get("brain")!.data].map((n) => n.toFixed(4))).toEqual([
      "0.0000",
      "0.3008",
      "0.6016",
      "0.9023",
      "1.2031",
      "1.5000",
    ]);
    expect([...unread]).toEqual([
      ["complex", 'its elements are of the unsupported type "ComplexFloatStorage"'],
    ]);
  });

  it("of whole modules name tensors as state_dict() does", async () => {
    const { tensors } = await readTorchCheckpoint(await pathOf("module"));
    expect([...tensors].map(([name, { shape }]) => `${name} ${shape.join("x")}`)).toEqual([
      "0.weight 2x1x1x1",
      "0.bias 2",
      "1.weight 2",
      "1.bias 2",
      "1.running_mean 2",
      "1.running_var 2",
      "1.num_batches_tracked ",
    ]);
    expect([...tensors.get("0.bias")!.data]).toEqual([3, 4]);
  });

  it("of the old format may hold many tensors", async () => {
    const { tensors, unread } = await readTorchCheckpoint(await pathOf("old"));
    expect([...unread.keys()]).toEqual(["z"]);
    expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]))).toEqual({
      a: W,
      b: [1, 2, 2 ** 31 - 1],
      c: [0, 3, 1, 4, 2, 5],
      d: W,
    });
  });

  it("cannot fill the memory with one number", async () => {
    await expect(readTorchCheckpoint(await pathOf("expanded"))).rejects.toThrow(
      "the shape [8192, 8192] repeats the 1 numbers of its storage too often",
    );
  });

  it("with two tensors of one name are refused", async () => {
    await expect(readTorchCheckpoint(await pathOf("twice"))).rejects.toThrow(
      'two of its tensors are called "a.b"',
    );
  });
});

describe("Pickles", () => {
  const read = (text: string): unknown => readPickle(Buffer.from(text, "latin1"), 0, "it", {}).value;

  it("keep only keys that are text or numbers, without making text of others", () => {
    // Each list holds the one before twice: as text the last would have 2^40 parts.
    const remembered = (i: number) => String.fromCharCode(i);
    const lists = Array.from({ length: 40 }, (_, i) => {
      const before = `h${remembered(i)}`;
      return `(${before}${before}lq${remembered(i + 1)}0`;
    });
    expect(read(`}(K\x01lq\x000${lists.join("")}h${remembered(40)}K\x02s.`)).toEqual(new Map());
    expect(read("}(U\x01aK\x01K\x02K\x03NK\x04u.")).toEqual(
      new Map<string | number, number>([
        ["a", 1],
        [2, 3],
      ]),
    );
  });

  it.each([
    ["K", "it is cut off"],
    ["X\xff\xff\xff\xffabc.", "it is cut off"],
    ["B\xff\xff\xff\x7fabc.", "it is cut off"],
    ["\x8b\xff\xff\xff\x7fabc.", "an integer of 2147483647 bytes"],
    ["(K\x01a.", "it takes more values than the stack holds"],
    ["K\x01K\x02a.", "it appends to something that is not a list"],
    ["h\x07.", "an object that it has not created"],
    ["Iten\n.", "expected an integer"],
    ["\xff.", "the instruction 0xff is unknown"],
    ["NQ.", "it refers to an object outside the pickle"],
  ])("that are damaged or hostile are refused (%j)", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it("execute nothing", () => {
    expect(read("cos\nsystem\n(U\x02lstR.")).toMatchObject({ name: "os.system", args: ["ls"] });
    expect(read("\x8c\x02os\x8c\x06system\x93U\x02ls\x85R.")).toMatchObject({ name: "os.system" });
  });

  it("of the old format may not have lists as keys of storages, whose text would never end", async () => {
    const integer = (magic: string) => [0x8a, 10, ...Buffer.from(magic, "hex").reverse(), 0x2e];
    const path = join(await mkdtemp(join(tmpdir(), "striate-torch-")), "keys.pth");
    // A list that holds another one twice, 40 times over
    const nested = [0x5d, ...Array.from({ length: 40 }, () => [0x32, 0x86]).flat()];
    const file = [
      ...integer("1950a86a20f9469cfc6c"),
      0x4b,
      1,
      0x2e,
      0x7d,
      0x2e,
      0x7d,
      0x2e,
      ...nested,
      0x85,
      0x2e,
    ];
    await writeFile(path, Buffer.from([...file, ...Buffer.alloc(8)]));
    await expect(readTorchCheckpoint(path)).rejects.toThrow("expected text or a number, got object");
  });
});
