/** Makes names that are readable, unique within one file, and the same on every run. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #counts = new Map<string, number>();

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** Reserves exactly this name. Returns false if it is taken. */
  reserve(name: string): boolean {
    if (this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }

  /** Reserves the next free name among `stem_0`, `stem_1`, ... */
  next(stem: string): string {
    let count = this.#counts.get(stem) ?? 0;
    let name = `${stem}_${count++}`;
    while (this.#taken.has(name)) name = `${stem}_${count++}`;
    this.#counts.set(stem, count);
    this.#taken.add(name);
    return name;
  }

  /** Reserves `wanted` if it is free; otherwise, the next free name made from it. */
  keep(wanted: string): string {
    return this.reserve(wanted) ? wanted : this.next(wanted);
  }
}
