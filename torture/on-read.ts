import pg from 'pg';

type Read = pg.QueryResult<{ id: string }>;

/** Passes what relays of this process read from the outbox to `work` first. */
export function onRead(work: (read: Read) => void): void {
  const client = pg.Client.prototype as unknown as { query: (this: pg.Client, ...args: unknown[]) => Promise<Read> };
  const { query } = client;
  client.query = function (...args) {
    const result = query.apply(this, args);
    if ((args[0] as { name?: string }).name !== 'relay_read') return result;
    return result.then((read) => {
      work(read);
      return read;
    });
  };
}
