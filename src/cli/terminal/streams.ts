/** Where a command prints: results to `out`, everything else to `err`. */
export interface Streams {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

/**
 * Lets the process go on if the reader of one of its streams ends first, as `head` does, and `tee` after Ctrl-C: a run
 * that is interrupted still has to write its checkpoint. What is printed from then on is lost.
 */
export function outliveReaders({ out, err }: Streams): void {
  for (const stream of [out, err]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
