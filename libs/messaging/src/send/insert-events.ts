/** SQL that inserts events whose six columns are the parameters from `$first` on, once for each row of `source`. */
export const insertEvents = (first: number, source?: string) => `
  INSERT INTO outbox (shard, topic, key, payload, headers, expires_at)
  SELECT event.* FROM ${source ? `${source}, ` : ''}unnest(
    $${first}::smallint[], $${first + 1}::text[], $${first + 2}::text[], $${first + 3}::text[], $${first + 4}::jsonb[],
    $${first + 5}::timestamptz[]
  ) AS event`;
