import type { V1Texts } from "../texts/v1-en.js";
import { codeOf } from "./code.js";
import type { V1State } from "./state.js";

/** What the view shows, in words, in equations and as a program. */
export function Explanations({ state, texts }: { readonly state: V1State; readonly texts: V1Texts }) {
  const equations = [
    [texts.eqGabor, "g(x', y') = exp(-½ (x'² / σx² + y'² / σy²)) / (2π σx σy) · cos(2π f x' + φ)"],
    [texts.eqQ, "q0 = Σ g · picture,   q1 = Σ g(φ + 90°) · picture"],
    [texts.eqCells, "simple = k max(q0, 0),   complex = k √(q0² + q1²) / √2"],
    [texts.eqNoise, "t = a r + b,   r' = max((t + z √(max(t, 0) + 0.0001) - b) / a, 0)"],
  ] as const;
  return (
    <>
      <section class="explanations">
        <h2>{texts.whatTitle}</h2>
        <p>{texts.what1}</p>
        <p>{texts.what2}</p>
        <p>{texts.what3}</p>
        <p>{texts.what4}</p>
      </section>
      <details>
        <summary>{texts.equations}</summary>
        {equations.map(([words, equation]) => (
          <div key={equation}>
            <p>{words}</p>
            <pre tabIndex={0}>
              <code>{equation}</code>
            </pre>
          </div>
        ))}
        <p>{texts.eqSource}</p>
      </details>
      <details>
        <summary>{texts.code}</summary>
        <pre tabIndex={0}>
          <code>{codeOf(state)}</code>
        </pre>
      </details>
    </>
  );
}
