import { listenForInterrupt } from "../../src/cli/terminal/interrupt.js";

// Prints what each press does; ends by itself only at the second one.
const { signal } = listenForInterrupt({
  onStop: () => {
    console.log("stop");
  },
  onQuit: () => {
    console.log("quit");
    process.exit(130);
  },
});
signal.addEventListener("abort", () => {
  console.log("aborted");
});
setInterval(() => undefined, 1000);
console.log("ready");
