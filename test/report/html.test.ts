import { describe, expect, it } from "vitest";
import {
  details,
  duration,
  embeddedJson,
  figure,
  markup,
  note,
  number,
  page,
  percent,
  raw,
  table,
} from "../../src/report/html.js";
import { spreadCell } from "../../src/report/over-seeds.js";
import { escape } from "../../src/util/escape.js";
import { readHtml } from "./markup.js";

describe("markup", () => {
  it("escapes text and keeps markup", () => {
    const hostile = `<img src=x onerror="alert('1')">&`;
    expect(markup`<p title="${hostile}">${hostile}</p>`.text).toBe(
      `<p title="${escape(hostile)}">${escape(hostile)}</p>`,
    );
    expect(escape(hostile)).not.toMatch(/[<>"']/);
    expect(
      markup`<p>${raw("<b>x</b>")}${[1, "a<", markup`<i></i>`]}${null}${false}${undefined}</p>`.text,
    ).toBe("<p><b>x</b>1a&lt;<i></i></p>");
  });

  it("never prints NaN", () => {
    expect(markup`${NaN}${Infinity}`.text).toBe("––");
    expect([percent(NaN), number(NaN), duration(Infinity)]).toEqual(["–", "–", "–"]);
  });

  it("embeds JSON that cannot end its script element", () => {
    const value = { text: "</script><script>alert(1)</script><!--" };
    const text = embeddedJson(value).text;
    expect(text).not.toMatch(/[<>]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe("numbers", () => {
  it("read well", () => {
    expect(percent(0.6966)).toBe("69.7");
    expect([
      number(0.0123456),
      number(76_800),
      number(1.234e-7),
      number(0),
      number(2, 1),
      number(-1.5),
    ]).toEqual(["0.0123", "76,800", "1.2e-7", "0", "2", "-1.5"]);
    expect([duration(38.2), duration(581), duration(3720), duration(59.7)]).toEqual([
      "38 s",
      "9 min 41 s",
      "1 h 02 min",
      "1 min 00 s",
    ]);
  });
});

describe("page", () => {
  const built = page({
    title: "A <title> & more",
    subtitle: "sub",
    facts: ["one", "two"],
    sections: [
      {
        id: "first",
        title: "First",
        lead: "lead",
        body: markup`${table({
          label: "numbers",
          caption: "Numbers",
          head: ["Model", "Ours", "Theirs"],
          foreign: [1],
          rows: [
            {
              name: "A",
              cells: [
                spreadCell(
                  {
                    mean: 0.5,
                    std: 0.01,
                    values: [
                      { seed: 7, value: 0.49 },
                      { seed: 8, value: 0.51 },
                    ],
                  },
                  percent,
                ),
                "60.7",
              ],
            },
          ],
        })}${figure(raw("<p>x</p>"), "look")}${note("caution", "careful")}${details("more", "text")}`,
      },
    ],
    provenance: [["Seeds", "1, 2"]],
    scripts: ["const x = '</script>';"],
  });
  const { elements, errors } = readHtml(built);

  it("is valid HTML and asks nothing of the network", () => {
    expect(errors).toEqual([]);
    const policy = elements.find(({ attributes }) => attributes["http-equiv"] === "Content-Security-Policy");
    expect(policy!.attributes.content).toMatch(/^default-src 'none'/);
    for (const { attributes } of elements) {
      for (const name of ["src", "href", "action"]) expect(attributes[name] ?? "#").toMatch(/^(#|data:)/);
    }
  });

  it("lists its sections, each reachable", () => {
    const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = elements.flatMap(({ name, attributes }) =>
      name === "a" ? [attributes.href!.slice(1)] : [],
    );
    expect(targets).toEqual(["content", "first", "provenance"]);
    for (const target of targets) expect(ids).toContain(target);
    expect(elements.find(({ name }) => name === "title")!.text).toBe("A <title> & more");
  });

  it("shows each seed on demand and sets foreign numbers apart", () => {
    const seeds = elements.find(({ attributes }) => attributes.class === "seeds")!;
    expect(seeds.name).toBe("details");
    expect(seeds.text).toContain("seed 7: 49.0");
    expect(
      elements.find(({ name, attributes }) => name === "summary" && attributes.title)!.attributes.title,
    ).toBe("seed 7: 49.0\nseed 8: 51.0");
    expect(
      elements.filter(({ attributes }) => attributes.class === "foreign").map(({ text }) => text),
    ).toEqual(["Theirs", "60.7"]);
  });

  it("has scrolling tables within reach of the keyboard", () => {
    const box = elements.find(({ attributes }) => attributes.class === "scroll")!;
    expect(box.attributes).toMatchObject({ tabindex: "0", role: "region", "aria-label": "numbers" });
  });
});
