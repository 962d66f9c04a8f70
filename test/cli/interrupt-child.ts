import { interruptWork, listenForInterrupt } from "../../src/cli/terminal/interrupt.js";

// Prints what each press does; ends by itself only at the second one. With "work", it listens as commands do; with
// "blocked", its event loop is blocked for a second first, and a press is one signal.
const how = process.argv[2];
const { signal } =
  how === "work"
    ? interruptWork("after this batch", console.log)
    : listenForInterrupt({
        ...(how === "blocked" && { signalsPerPress: 1 }),
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
if (how === "blocked") {
  setTimeout(() => {
    console.log("blocked");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  }, 200);
}
