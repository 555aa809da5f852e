import type { DataSource, EntityManager } from 'typeorm';

/** Whether the transaction now holds the advisory lock of this name until its end; false while another one holds it. */
export async function tryLock(tx: EntityManager, name: string): Promise<boolean> {
  const [lock] = await tx.query<[{ free: boolean }]>('SELECT pg_try_advisory_xact_lock(hashtext($1)) AS free', [name]);
  return lock.free;
}

export function databaseAnswers(dataSource: DataSource): Promise<boolean> {
  return dataSource.query('SELECT 1').then(
    () => true,
    () => false,
  );
}
