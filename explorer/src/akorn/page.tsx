import { useMemo } from "preact/hooks";
import { startObjectLab } from "../compute/akorn-client.js";
import { PageFrame } from "../parts/page.js";
import { Player } from "../parts/player.js";
import { useAddress } from "../parts/use-address.js";
import type { ObjectTexts } from "../texts/akorn-en.js";
import { en } from "../texts/akorn-en.js";
import { translations } from "../texts/translations.js";
import "./akorn.css";
import { OBJECT_ADDRESS } from "./state.js";
import { ObjectView } from "./view.js";

const textsOf = translations<ObjectTexts>(en, async () => (await import("../texts/akorn-zh.js")).zh);

/** The view of AKOrN with all that it loads. */
export function AkornPage() {
  const { state, ignored } = useAddress(OBJECT_ADDRESS);
  const player = useMemo(() => new Player(startObjectLab(), () => state.value.speed), []);
  const texts = textsOf(state.value.language);
  return (
    <PageFrame
      view="akorn"
      state={state}
      ignored={ignored.value}
      problem={player.problem}
      tagline={texts.tagline}
      caption={state.value.source === "own" ? texts.captionOwn : texts.caption}
      source={texts.source}
      table={() => ({
        columns: ["timestep", "scrambled", "fg_ari", "energy"],
        rows: player.frames.value.map(({ timestep, isScrambled, agreement, energy }) => [
          timestep,
          Number(isScrambled),
          agreement ?? "",
          energy,
        ]),
      })}
    >
      <ObjectView player={player} state={state} texts={texts} />
    </PageFrame>
  );
}
