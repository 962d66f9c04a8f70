import { describe, expect, it } from "vitest";
import { augMix } from "../../src/data/augmentation/aug-mix.js";
import {
  changeBrightness,
  changeContrast,
  changeSaturation,
  jitterColours,
  shiftHue,
  toGrey,
} from "../../src/data/augmentation/colour.js";
import {
  autoContrast,
  changeSharpness,
  equalise,
  posterise,
  rotation,
  sample,
  shearX,
  shearY,
  solarise,
} from "../../src/data/augmentation/pixel-operations.js";
import { drawCrop, mirror, randomResizedCrop } from "../../src/data/augmentation/random-crop.js";
import { simclrView, simclrViews } from "../../src/data/augmentation/simclr.js";
import { strongAugmentation } from "../../src/data/augmentation/strong.js";
import { resizeImage } from "../../src/data/images/resize.js";
import type { RgbImage } from "../../src/data/images/rgb-image.js";
import { crop } from "../../src/data/images/rgb-image.js";
import { tetrominoes } from "../../src/data/scenes/tetrominoes.js";
import { Random } from "../../src/util/random.js";

/** One image of 7 x 5, and what Pillow 9.4 (colours, crop) and PyTorch 1.13 (the rest) make of it. */
const PEER = {
  image:
    "BwcH/wAAAP//wQ4rOcm2pQ91QmB/DViaeUkvS94YuOoSZhWKCyxJgSopPY02qoxnOYgnrJETq4VFnngUi68fLH0Kv+9WOtY1fKEKa+cYts8RP7OsQ0oRsG21hWJGNWPpRi18Mic318xW",
  brightness:
    "CQkJ/wAAAP//+hI3Sv/s1hOYVXylEHLInV49Yf8f7/8XhBuzDjlepzY1T7dG3LaFSrAy37wY3qxZzZwatOMoOaIN+P9vS/9EodENi/8f7P8WUejfV2AW5I3rrH9bRID/WzqhQTJH//9v",
  contrast:
    "MTExxi0tLcbGoTVHT6aakDZzVWd5NWKKdllJWrI7nLo4ajqANEhZe0ZGUoJOk4FrT39FlIQ4lH1XjHU5gZZASHgzoL1hUK5NeI4zbbg7mqk3U5mUVVo3l2+afWhXTWm5V0h4S0VOrqhh",
  saturation:
    "BwcH/wAAAP//8QAfEdvAygCHOGKNAF66h0QgK/gAtPoAdwWpAC5XmR8eKpogtIpWJ5YOuZMAuIMprXgAh7kAGosAuPslFfAOeKwAUf8At9oAHsG3Q00Av2HGkF84IWL/SSaVNCU739Aq",
  hue: "BwcH/wBgAP+WwQ5zOsl6mRClQnl/DZKaeS8zm94Y6sQSNhWKC0VJgSlKYY02qnFnYIgnrFQUq1tFnj8Ur5kgW30K799WfdY2oYYKw+cYz5wRP7N7SjkRkm21hUhGNqzpLTV8LCc315ZW",
  grey: "BwcHTExMs7OzR0dHnJycR0dHW1tbSUlJVFRUm5ubwsLCOzs7JSUlREREa2trkZGRZWVli4uLiYmJeHh4lJSUWFhYz8/PlZWVhYWFqqqqsrKykJCQQUFBiYmJaWlpZWVlPT09LCwswsLC",
  crop: "v0BAUJuncnt8ij6Fbm4peOMViG5YIiZZjotXaYwfq4owoXsgnulOVsAjcsoSo9UT",
  shearX:
    "IAYG5hkZE+fqsyE5RLavmxd2O1ZyLVR6a3YobOIWn6o2Sxx2Lis/Wh0dc4xOcopHcowdrIsspH4slJQaRlgQk80/Yt4/aLEXcNIUoNYTY7t9EzY0pWmliWNRPWPZRDKHNCg+x7xTFRQJ",
  rotate:
    "MgMDhTg4MaOrm0RRVYOebiZnRjZDJjVTjVIrU98xrcwjZih4P0Q3d1ghLHdfm3pWPZQlrJETopM+pJEUbbBYLnUaqclTS804c6gQaMcli6UffrV3K0gKlYV1iHheTGS4OTWJKR44Y1wu",
  autoContrast:
    "BwcH/wAAAP//wQ4rOcm2pQ91QmB/DViaeUkvS94YuOoSZhWKCyxJgSopPY02qoxnOYgnrJETq4VFnngUi68fLH0Kv+9WOtY1fKEKa+cYts8RP7OsQ0oRsG21hWJGNWPpRi18Mic318xW",
  sharpness:
    "BwcH/wAAAP//wA4rOMm2pQ91Ql9/DFiZgzwmOvUNzP8AXACbAB1EgCopPY02wIhxJX0lu4sMtYFMqXUHiq8eLH0K1v9aJ+grgaYAZ/8NxN8DPrOsQkoRsGy1hWJGNGLoRi17Mic318xW",
};

const bytes = (text: string): number[] => [...Buffer.from(text, "base64")];
const picture = (): RgbImage => ({ width: 7, height: 5, data: Uint8Array.from(bytes(PEER.image)) });
const plain = (width: number, height: number, value: number): RgbImage => ({
  width,
  height,
  data: new Uint8Array(3 * width * height).fill(value),
});
const noise = (width: number, height: number, seed: number): RgbImage => {
  const random = new Random(seed);
  return {
    width,
    height,
    data: Uint8Array.from({ length: 3 * width * height }, () => random.integer(0, 256)),
  };
};

describe("changes of colour", () => {
  const after = (change: (data: Uint8Array) => void): number[] => {
    const { data } = picture();
    change(data);
    return [...data];
  };

  it("equal Pillow's to the byte", () => {
    expect(
      after((data) => {
        changeBrightness(data, 1.3);
      }),
    ).toEqual(bytes(PEER.brightness));
    expect(
      after((data) => {
        changeContrast(data, 0.6);
      }),
    ).toEqual(bytes(PEER.contrast));
    expect(
      after((data) => {
        changeSaturation(data, 1.4);
      }),
    ).toEqual(bytes(PEER.saturation));
    expect(
      after((data) => {
        shiftHue(data, -0.07);
      }),
    ).toEqual(bytes(PEER.hue));
    expect(after(toGrey)).toEqual(bytes(PEER.grey));
  });

  it("change nothing with factor 1, and follow the random stream", () => {
    for (const change of [changeBrightness, changeContrast, changeSaturation])
      expect(
        after((data) => {
          change(data, 1);
        }),
      ).toEqual(bytes(PEER.image));
    const jitter = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
    const jittered = (seed: number) =>
      after((data) => {
        jitterColours(data, jitter, new Random(seed));
      });
    expect(jittered(1)).toEqual(jittered(1));
    expect(jittered(1)).not.toEqual(jittered(2));
    expect(() => {
      jitterColours(new Uint8Array(3), { ...jitter, hue: 0.6 }, new Random(1));
    }).toThrow("colour jitter: hue: expected a number from 0 to 0.5, got 0.6");
  });
});

describe("random crops", () => {
  it("resize as Pillow does, bilinear with antialiasing", () => {
    expect([...resizeImage(crop(picture(), 1, 0, 5, 4), 4, 4).data]).toEqual(bytes(PEER.crop));
  });

  it("have uniform areas and log-uniform proportions, inside the image", () => {
    const random = new Random(3);
    const boxes = Array.from({ length: 4000 }, () =>
      drawCrop({ width: 200, height: 200 }, { scale: [0.08, 1] }, random),
    );
    for (const { left, top, width, height } of boxes) {
      expect(Math.min(left, top, 200 - left - width, 200 - top - height)).toBeGreaterThanOrEqual(0);
      expect(width / height).toBeGreaterThan(0.72);
      expect(width / height).toBeLessThan(1.39);
    }
    // Areas above 3/4 fit with proportions up to 1 / area only: the mean is 0.478 instead of 0.54.
    const areas = boxes.map(({ width, height }) => (width * height) / 40_000);
    const mean = areas.reduce((a, b) => a + b, 0) / areas.length;
    expect(Math.abs(mean - 0.478)).toBeLessThan(0.015);
    expect(Math.min(...areas)).toBeGreaterThan(0.07);
  });

  it("fall back to the middle where no proportion fits", () => {
    const random = new Random(1);
    const scale = [1, 1] as const;
    expect(drawCrop({ width: 100, height: 10 }, { scale }, random)).toEqual({
      left: 43,
      top: 0,
      width: 13,
      height: 10,
    });
    expect(drawCrop({ width: 10, height: 100 }, { scale }, random)).toMatchObject({ top: 43, height: 13 });
    expect(() => drawCrop({ width: 9, height: 9 }, { scale: [0.5, 0.1] }, random)).toThrow("random crop");
  });

  it("mirror twice to the same image", () => {
    const image = picture();
    mirror(image);
    expect([...image.data.subarray(0, 3)]).toEqual([...picture().data.subarray(18, 21)]);
    mirror(image);
    expect(image).toEqual(picture());
  });
});

describe("AutoAugment's operations", () => {
  it("equal PyTorch's", () => {
    // PyTorch rounds in single precision, so halves may fall to the other side.
    const near = (found: Uint8Array, expected: readonly number[]) => {
      expect(found).toHaveLength(expected.length);
      found.forEach((value, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1);
      });
    };
    near(sample(picture(), shearX(0.2)).data, bytes(PEER.shearX));
    near(sample(picture(), rotation(8, 7, 5)).data, bytes(PEER.rotate));
    near(changeSharpness(picture(), 1.4).data, bytes(PEER.sharpness));
    const stretched = picture();
    autoContrast(stretched.data);
    expect([...stretched.data]).toEqual(bytes(PEER.autoContrast));
  });

  it("move, shear, cut bits and invert as their definitions say", () => {
    const moved = sample(picture(), [1, 0, -2, 0, 1, 0]).data;
    expect([...moved.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...moved.subarray(6, 21)]).toEqual([...picture().data.subarray(0, 15)]);
    // A transposed image sheared along x is the image sheared along y.
    const transposed = ({ width, height, data }: RgbImage): RgbImage => ({
      width: height,
      height: width,
      data: Uint8Array.from(data, (_, i) => {
        const [pixel, c] = [Math.floor(i / 3), i % 3];
        return data[3 * ((pixel % height) * width + Math.floor(pixel / height)) + c]!;
      }),
    });
    expect(sample(picture(), shearY(0.2))).toEqual(transposed(sample(transposed(picture()), shearX(0.2))));
    const values = Uint8Array.from([0, 15, 16, 127, 200, 255]);
    posterise(values, 4);
    expect([...values]).toEqual([0, 0, 16, 112, 192, 240]);
    solarise(values, 192);
    expect([...values]).toEqual([0, 0, 16, 112, 63, 15]);
  });

  it("equalise spreads the values evenly", () => {
    // 64 grey values from 100 on, 85 pixels of each.
    const data = Uint8Array.from({ length: 3 * 64 * 85 }, (_, i) => 100 + Math.floor(i / 255));
    equalise(data);
    expect(data[0]).toBe(0);
    expect(data.at(-1)).toBe(255);
    const seen = [...new Set(data)];
    expect(seen).toHaveLength(64);
    const steps = seen.slice(1).map((value, i) => value - seen[i]!);
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
  });
});

describe("AugMix", () => {
  it("leaves a white image between black and white, and a grey one grey in its middle", () => {
    for (let seed = 0; seed < 40; seed++) {
      const white = augMix(plain(16, 16, 255), new Random(seed));
      expect(white.data).toHaveLength(768);
      const { data } = augMix(plain(16, 16, 100), new Random(seed));
      const middle = [...data.subarray(3 * (8 * 16 + 8), 3 * (8 * 16 + 8) + 3)];
      expect(new Set(middle).size).toBe(1);
    }
  });

  it("stays near the image on average, and is never the same twice", () => {
    const image = noise(16, 16, 1);
    let distance = 0;
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const { data } = augMix(image, new Random(seed));
      seen.add(data.join());
      distance +=
        data.reduce((sum, value, i) => sum + Math.abs(value - image.data[i]!), 0) / data.length / 50;
    }
    expect(seen.size).toBeGreaterThan(48);
    expect(distance).toBeGreaterThan(5);
    expect(distance).toBeLessThan(60);
  });

  it("is part of the classifiers' augmentation, which gives images of the asked size", () => {
    const view = strongAugmentation(noise(40, 30, 2), 32, new Random(1));
    expect(view).toMatchObject({ width: 32, height: 32 });
    expect(view).toEqual(strongAugmentation(noise(40, 30, 2), 32, new Random(1)));
  });
});

describe("views for contrastive learning", () => {
  const scenes = tetrominoes({ count: 8, seed: 1 });

  it("lie image by image, two for each, and depend on the draw and their place", () => {
    const views = simclrViews(scenes);
    const fill = (draw: readonly (string | number)[], indices = [3, 5]): Float32Array => {
      const out = new Float32Array(4 * 3072);
      views.fill(indices, { views: out }, draw);
      return out;
    };
    expect(views.count).toBe(8);
    expect(fill([1, "step", 0])).toEqual(fill([1, "step", 0]));
    expect(fill([1, "step", 0])).not.toEqual(fill([1, "step", 1]));
    const [all, last] = [fill([7]), fill([7], [3, 6])];
    expect(all.subarray(0, 2 * 3072)).toEqual(last.subarray(0, 2 * 3072));
    expect(all.subarray(0, 3072)).not.toEqual(all.subarray(3072, 2 * 3072));
    expect(Math.max(...all)).toBeLessThanOrEqual(1);
    expect(() => {
      views.fill([0], { views: new Float32Array(3072) }, [1]);
    }).toThrow('two views of 1 scenes: expected 2 x 3 x 32 x 32 numbers in "views", got 3072');
  });

  it("are the image itself when nothing may change", () => {
    const still = {
      crop: { scale: [1, 1], ratio: [1, 1] },
      jitterProbability: 0,
      greyProbability: 0,
    } as const;
    const image = noise(32, 32, 4);
    expect(simclrView(image, 32, new Random(1), still)).toEqual(image);
    expect(randomResizedCrop(image, 16, still.crop, new Random(1))).toEqual(resizeImage(image, 16, 16));
  });

  it("are jittered in 80 and grey in 20 of 100 cases", () => {
    const image = plain(8, 8, 0);
    for (let i = 0; i < image.data.length; i += 3) image.data.set([200, 100, 50], i);
    let [grey, same] = [0, 0];
    const COUNT = 3000;
    for (let seed = 0; seed < COUNT; seed++) {
      const { data } = simclrView(image, 8, new Random(seed));
      if (data[0] === data[1] && data[1] === data[2]) grey++;
      else if (data[0] === 200 && data[1] === 100 && data[2] === 50) same++;
    }
    expect(grey / COUNT).toBeCloseTo(0.2, 1);
    expect(same / COUNT).toBeCloseTo(0.2 * 0.8, 1);
  });
});
