/** Something that has to be closed after use, such as a session. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Calls a function with an opened resource, and closes the resource when the function has returned or thrown.
 */
export async function closing<R extends Closable, T>(
  opened: R | Promise<R>,
  use: (resource: R) => Promise<T>,
): Promise<T> {
  const resource = await opened;
  try {
    return await use(resource);
  } finally {
    await resource.close();
  }
}
