import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { everyFrame } from "./every-frame.js";
import type { Player } from "./player.js";
import { TimeBar } from "./time-bar.js";
import type { TimeBarProps } from "./time-bar.js";

/* What the views that play whole runs have in common. */

/** Asks for a run whenever one of the keys changes, and lets the clock advance. */
export function useRun<Request, Frame, Facts>(
  player: Player<Request, Frame, Facts>,
  request: Request,
  keys: readonly unknown[],
): void {
  // Before the page is painted, so that it never shows the previous run as the one that is wanted.
  useLayoutEffect(() => {
    player.request(request);
  }, [player, ...keys]);
  useEffect(
    () =>
      everyFrame((seconds) => {
        player.clock.advance(seconds);
      }),
    [player],
  );
}

interface RunTimeProps<Request, Frame, Facts> extends Pick<TimeBarProps, "texts"> {
  readonly player: Player<Request, Frame, Facts>;
  /** What follows the number of the timestep. */
  readonly note?: (frame: Frame) => string;
}

/** The clock of a run and its buttons. */
export function RunTime<Request, Frame extends { readonly timestep: number }, Facts>({
  player,
  texts,
  note,
}: RunTimeProps<Request, Frame, Facts>) {
  const frame = player.current.value;
  return (
    <TimeBar
      clock={player.clock}
      end={Math.max(0, player.frames.value.length - 1)}
      texts={texts}
      now={frame === undefined ? "0" : `${frame.timestep}${note?.(frame) ?? ""}`}
    />
  );
}

interface ActionProps {
  readonly label: string;
  readonly onClick: () => void;
}

export function Action({ label, onClick }: ActionProps) {
  return (
    <button type="button" onClick={onClick}>
      {label}
    </button>
  );
}

/** Three paragraphs on what there is to see. */
export function WhatYouSee(props: {
  readonly texts: Readonly<Record<"whatTitle" | "what1" | "what2" | "what3", string>>;
}) {
  const { whatTitle, what1, what2, what3 } = props.texts;
  return (
    <section class="explanations">
      <h2>{whatTitle}</h2>
      <p>{what1}</p>
      <p>{what2}</p>
      <p>{what3}</p>
    </section>
  );
}

/** Code or equations that are folded until somebody wants them. */
export function Folded(props: {
  readonly title: string;
  readonly help?: string;
  readonly code: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <details>
      <summary>{props.title}</summary>
      {props.help !== undefined && <p>{props.help}</p>}
      <pre tabIndex={0}>
        <code>{props.code}</code>
      </pre>
      {props.children}
    </details>
  );
}

/** Where a run was computed and how long a timestep took, and the figures of the network's card. */
export function runFacts(
  milliseconds: string | undefined,
  figures: readonly string[] | undefined,
  texts: Readonly<Record<"opening" | "device" | "perStep" | "figures", string>>,
): string {
  if (milliseconds === undefined || figures === undefined) return texts.opening;
  return `${texts.device} wasm, ${milliseconds} ${texts.perStep}. ${texts.figures} ${figures.join("; ")}.`;
}
