import pc from "picocolors";

/** A function that prints lines with the time of the day, for processes that run for days. */
export function note(stream: NodeJS.WriteStream): (line: string) => void {
  return (line) => {
    stream.write(`${pc.dim(new Date().toTimeString().slice(0, 8))} ${line}\n`);
  };
}
