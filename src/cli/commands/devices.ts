import { command } from "./command.js";

export const devicesCommand = command({
  name: "devices",
  summary: "list where models can run on this machine",
  options: {},
  examples: [{ line: "striate devices", does: "runs a small model on every device" }],
  run: async (_options, { streams }) => {
    const { printDevices } = await import("../devices.js");
    await printDevices(streams);
  },
});
