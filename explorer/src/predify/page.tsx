import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { startPredifyLab } from "../compute/predify-client.js";
import type { PredifyFrame } from "../compute/predify-frame.js";
import { FileField } from "../parts/file-field.js";
import { OwnPictureNotices, useOwnPicture } from "../parts/own-picture.js";
import { PageFrame } from "../parts/page.js";
import { Player } from "../parts/player.js";
import type { Table } from "../parts/save.js";
import { useAddress } from "../parts/use-address.js";
import { useSamples } from "../parts/use-samples.js";
import type { PredifyTexts } from "../texts/predify-en.js";
import { en } from "../texts/predify-en.js";
import { translations } from "../texts/translations.js";
import type { OwnNetworkProps } from "./own/view.js";
import { PREDIFY_ADDRESS, START } from "./state.js";
import { PredifyView } from "./view.js";

const textsOf = translations<PredifyTexts>(en, async () => (await import("../texts/predify-zh.js")).zh);

/** The view of Predify with all that it loads. */
export function PredifyPage() {
  const { state, ignored } = useAddress(PREDIFY_ADDRESS);
  const { samples, problem } = useSamples();
  const player = useMemo(() => new Player(startPredifyLab(), () => state.value.speed), []);
  const network = useSignal<File | undefined>(undefined);
  const OwnNetwork = useSignal<FunctionComponent<OwnNetworkProps> | undefined>(undefined);
  const networkProblem = useSignal<string | undefined>(undefined);
  const ownTable = useSignal<(() => Table | undefined) | undefined>(undefined);
  const texts = textsOf(state.value.language);
  const takeNetwork = (file: File): void => {
    networkProblem.value = undefined;
    network.value = file;
    // Only those who bring a network load what runs it.
    import("./own/view.js").then(
      (module) => {
        OwnNetwork.value = module.OwnNetworkView;
      },
      (error: unknown) => {
        networkProblem.value = error instanceof Error ? error.message : String(error);
      },
    );
  };
  const own = useOwnPicture(
    () => {
      const { source: before } = state.peek();
      // A picture on paper is dark on white, where the network learnt white digits on black.
      const first = network.peek() === undefined ? "swapped" : "own";
      state.value = {
        ...state.peek(),
        ...{ source: before === "digit" ? first : before, x: START.x, y: START.y, angle: 0, noise: 0 },
      };
      player.clock.replay();
    },
    (file) => {
      const isNetwork = file.name.toLowerCase().endsWith(".onnx");
      if (isNetwork) takeNetwork(file);
      return isNetwork;
    },
  );
  useEffect(() => {
    const name = new URLSearchParams(location.search).get("network");
    if (name !== null)
      fetchNetwork(name, texts.networkMissing).then(takeNetwork, (error: unknown) => {
        networkProblem.value = error instanceof Error ? error.message : String(error);
      });
  }, []);
  const networkField = (
    <FileField
      label={texts.ownNetwork}
      help={texts.ownNetworkHelp}
      button={texts.chooseNetwork}
      accept=".onnx"
      chosen={network.value?.name}
      onFiles={([file]) => {
        if (file !== undefined) takeNetwork(file);
      }}
    />
  );
  const file = network.value;
  const Shown = OwnNetwork.value;
  const isOwn = file !== undefined && Shown !== undefined;
  return (
    <PageFrame
      view="predify"
      state={state}
      ignored={ignored.value}
      problem={problem.value ?? networkProblem.value ?? player.problem}
      tagline={texts.tagline}
      caption={isOwn ? texts.captionOwn : texts.caption}
      source={isOwn ? texts.sourceOwn : texts.source}
      table={() => (isOwn ? ownTable.value?.() : tableOf(player))}
    >
      {samples.value === undefined ? null : isOwn ? (
        <>
          <OwnPictureNotices own={own} isWanted={state.value.source !== "digit"} texts={texts} />
          <Shown
            file={file}
            state={state}
            samples={samples.value}
            own={own}
            networkField={networkField}
            onTable={(table) => {
              ownTable.value = table;
            }}
            onClose={() => {
              network.value = undefined;
            }}
            texts={texts}
          />
        </>
      ) : (
        <PredifyView
          player={player}
          state={state}
          samples={samples.value}
          own={own}
          networkField={networkField}
          texts={texts}
        />
      )}
    </PageFrame>
  );
}

function tableOf({ frames }: { readonly frames: Signal<readonly PredifyFrame[]> }): Table {
  const list = frames.value;
  const numbered = (name: string, values: readonly number[] = [], from = 1): string[] =>
    values.map((_, i) => `${name}_${i + from}`);
  return {
    columns: [
      "timestep",
      ...numbered("probability", list[0]?.probabilities, 0),
      ...numbered("error_pcoder", list[0]?.errors),
    ],
    rows: list.map(({ timestep, probabilities, errors }) => [timestep, ...probabilities, ...errors]),
  };
}

/** The network that is served beside the page under a name, as `striate explore model.onnx` does. */
async function fetchNetwork(name: string, missing: string): Promise<File> {
  const response = await fetch(new URL(`network/${encodeURIComponent(name)}`, document.baseURI));
  if (!response.ok) throw new Error(`"${name}": ${missing} ${response.status}`);
  return new File([await response.arrayBuffer()], name);
}
