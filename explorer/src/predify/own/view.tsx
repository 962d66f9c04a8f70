import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Slider } from "../../parts/controls.js";
import type { OwnPicture } from "../../parts/own-picture.js";
import { OwnPictureField } from "../../parts/own-picture.js";
import type { Table } from "../../parts/save.js";
import { Action } from "../../parts/run-view.js";
import { en } from "../../texts/predify-own-en.js";
import type { OwnNetworkTexts } from "../../texts/predify-own-en.js";
import type { PredifyTexts } from "../../texts/predify-en.js";
import { translations } from "../../texts/translations.js";
import type { PredifyState } from "../state.js";
import { OwnRun } from "./run.js";
import { OwnSession } from "./session.js";

const textsOf = translations<OwnNetworkTexts>(
  en,
  async () => (await import("../../texts/predify-own-zh.js")).zh,
);

export interface OwnNetworkProps {
  readonly file: File;
  readonly state: Signal<PredifyState>;
  readonly samples: ImageBitmap;
  readonly own: OwnPicture;
  /** The field to choose another network. */
  readonly networkField: ComponentChildren;
  /** Gets what the page can save as numbers. */
  readonly onTable: (table: () => Table | undefined) => void;
  /** Called if the user wants the network of the page again. */
  readonly onClose: () => void;
  readonly texts: PredifyTexts;
}

/** A network of the user's in place of that of the page. */
export function OwnNetworkView(props: OwnNetworkProps) {
  const { file, state, samples, own, networkField, onTable, onClose, texts: shared } = props;
  const [pcoders, setPcoders] = useState(4);
  const texts = textsOf(state.value.language);
  const session = useMemo(() => new OwnSession(file, pcoders, () => state.value.speed), [file, pcoders]);
  useEffect(
    () => () => {
      session.close();
    },
    [session],
  );
  const facts = session.facts.value;
  const refused = session.refused.value;
  const problem = session.problem.value ?? session.player.problem;
  const fields = (
    <>
      {networkField}
      <OwnPictureField own={own} texts={{ ...shared, ownPrivate: texts.ownPrivate }} />
      <Action label={texts.back} onClick={onClose} />
    </>
  );
  return (
    <>
      {refused !== undefined && (
        <div role="alert" class="notice">
          <strong>{`${file.name}: ${texts[refused.problem]}`}</strong>
          <br />
          {`${texts.inLibrary} ${refused.detail}`}
        </div>
      )}
      {problem !== undefined && (
        <p role="alert" class="notice">
          {problem}
        </p>
      )}
      {facts === undefined ? (
        <>
          {refused === undefined && problem === undefined && <p role="status">{texts.reading}</p>}
          <section class="controls">{fields}</section>
        </>
      ) : (
        <OwnRun
          key={session}
          {...{ session, facts, file, state, samples, own, onTable, texts, shared }}
          fields={
            <>
              {fields}
              <Slider
                label={texts.pcoders}
                value={Math.min(pcoders, facts.places)}
                range={[1, Math.min(8, facts.places)]}
                step={1}
                onInput={setPcoders}
              />
            </>
          }
        />
      )}
    </>
  );
}
