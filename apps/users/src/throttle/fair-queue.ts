interface Entry<T> {
  item: T;
  /** The groups it belongs to, one of each kind. */
  groups: readonly string[];
}

/**
 * A bounded queue in which nobody's entries delay everybody's. Each entry belongs to one group of each kind (an address, an
 * account); what comes next is taken from the groups in turn, of one kind and then of the other. When it is full, the newest
 * entry of those leaves whose groups have the most, so that it can only be filled by many.
 */
export class FairQueue<T> {
  private readonly entries = new Set<Entry<T>>();
  /** For each kind, the entries of each group; the group whose turn is next stands first. */
  private readonly kinds: Map<string, Set<Entry<T>>>[];
  private turns = 0;

  /** @param most entries that it holds. */
  constructor(
    kinds: number,
    private readonly most: number,
  ) {
    this.kinds = Array.from({ length: kinds }, () => new Map<string, Set<Entry<T>>>());
  }

  get size(): number {
    return this.entries.size;
  }

  /** Adds `item`. Returns what had to leave for it, which may be itself. */
  add(item: T, ...groups: string[]): T | undefined {
    const entry = { item, groups };
    this.entries.add(entry);
    for (const [kind, of] of this.kinds.entries()) {
      const group = of.get(groups[kind]!);
      if (group) group.add(entry);
      else of.set(groups[kind]!, new Set([entry]));
    }
    return this.size > this.most ? this.remove(this.leastWelcome(entry)) : undefined;
  }

  /** Takes out what comes next. */
  next(): T | undefined {
    const groups = this.kinds[this.turns++ % this.kinds.length]!;
    const [first] = groups;
    if (!first) return undefined;
    const [name, group] = first;
    groups.delete(name);
    groups.set(name, group);
    const [oldest] = group;
    return this.remove(oldest!);
  }

  private leastWelcome(newest: Entry<T>): Entry<T> {
    const crowd = ({ groups }: Entry<T>) => this.kinds.reduce((sum, of, kind) => sum + of.get(groups[kind]!)!.size, 0);
    let [worst, most] = [newest, 0];
    for (const entry of this.entries) {
      const size = crowd(entry);
      if (size >= most) [worst, most] = [entry, size];
    }
    return worst;
  }

  private remove(entry: Entry<T>): T {
    this.entries.delete(entry);
    for (const [kind, of] of this.kinds.entries()) {
      const group = of.get(entry.groups[kind]!)!;
      group.delete(entry);
      if (group.size === 0) of.delete(entry.groups[kind]!);
    }
    return entry.item;
  }
}
