import { useEffect, useMemo } from "preact/hooks";
import { startObjectLab } from "../compute/akorn-client.js";
import { PageFrame } from "../parts/page.js";
import { Player } from "../parts/player.js";
import { useAddress } from "../parts/use-address.js";
import { en } from "../texts/akorn-en.js";
import { zh } from "../texts/akorn-zh.js";
import "./akorn.css";
import { OBJECT_ADDRESS } from "./state.js";
import { ObjectView } from "./view.js";

const TEXTS = { en, zh } as const;

/** The view of AKOrN with all that it loads. */
export function AkornPage() {
  const { state, ignored } = useAddress(OBJECT_ADDRESS);
  const player = useMemo(() => new Player(startObjectLab(), () => state.value.speed), []);
  const texts = TEXTS[state.value.language];
  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) player.clock.isPlaying.value = false;
  }, []);
  return (
    <PageFrame
      view="akorn"
      state={state}
      ignored={ignored.value}
      problem={player.problem}
      tagline={texts.tagline}
      caption={texts.caption}
      source={texts.source}
    >
      <ObjectView player={player} state={state} texts={texts} />
    </PageFrame>
  );
}
