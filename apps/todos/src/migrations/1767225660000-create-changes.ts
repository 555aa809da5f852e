import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Each person's log of changes (ADR 19). Triggers write it, so that it also has what older images change during a rollout
 * and after a rollback. The row of `change_logs`, locked until the commit, makes places follow the order of commits.
 */
export class CreateChanges1767225660000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The room beside each row lets its updates touch no index.
    await runner.query(`
      CREATE TABLE change_logs (
        owner_id uuid PRIMARY KEY,
        position bigint NOT NULL,
        changed_at timestamptz(3) NOT NULL
      ) WITH (fillfactor = 50)`);
    await runner.query(`
      CREATE TABLE changes (
        owner_id uuid NOT NULL,
        position bigint NOT NULL,
        changed_at timestamptz(3) NOT NULL,
        version int NOT NULL,
        type text NOT NULL,
        list_id uuid NOT NULL,
        item_id uuid,
        PRIMARY KEY (owner_id, position)
      )`);
    await runner.query('CREATE INDEX changes_by_time ON changes (changed_at)');

    await createFunction(
      runner,
      'log_items',
      // Items that were deleted with their list find none here: the list's own change stands for them.
      append(`SELECT owner_id, list_id, changed.id AS item_id, changed.version, changed.position AS place
                FROM changed JOIN lists ON lists.id = list_id`),
    );
    for (const [name, event, rows] of [
      ['created', 'INSERT', 'NEW'],
      ['updated', 'UPDATE', 'NEW'],
      ['deleted', 'DELETE', 'OLD'],
    ]) {
      await runner.query(`
        CREATE TRIGGER log_${name} AFTER ${event} ON items REFERENCING ${rows} TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION log_items('item.${name}')`);
    }

    await createFunction(
      runner,
      'log_list',
      // An erasure must not hold the log's lock while it waits for lists: those who hold them wait for that lock.
      `IF TG_OP <> 'DELETE' THEN list := NEW;
       ELSIF EXISTS (SELECT FROM erased_people WHERE id = OLD.owner_id) THEN RETURN NULL;
       ELSE list := OLD; END IF;
       ${append(`SELECT list.owner_id, list.id AS list_id, NULL::uuid AS item_id, list.version, '' AS place`)}`,
      'list lists',
    );
    for (const [name, event] of [
      ['created', 'INSERT'],
      ['updated', 'UPDATE'],
      ['deleted', 'DELETE'],
    ]) {
      // Every change of an item updates the list's count; the item's own change stands for that.
      const when = event === 'UPDATE' ? 'WHEN (OLD.name IS DISTINCT FROM NEW.name)' : '';
      await runner.query(`
        CREATE TRIGGER log_${name} AFTER ${event} ON lists
        FOR EACH ROW ${when} EXECUTE FUNCTION log_list('list.${name}')`);
    }

    await createFunction(
      runner,
      'forget_changes',
      'DELETE FROM changes WHERE owner_id = OLD.id; DELETE FROM change_logs WHERE owner_id = OLD.id;',
    );
    await runner.query(`
      CREATE TRIGGER forget_changes AFTER DELETE ON people FOR EACH ROW EXECUTE FUNCTION forget_changes()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION log_items, log_list, forget_changes CASCADE');
    await runner.query('DROP TABLE changes, change_logs');
  }
}

const createFunction = (runner: QueryRunner, name: string, body: string, declare?: string) =>
  runner.query(`
    CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
    ${declare ? `DECLARE ${declare};` : ''}
    BEGIN
      ${body}
      RETURN NULL;
    END $$`);

/** Appends the rows of `source`, in the order of `place`, to the logs of their owners. Time never goes back within a log. */
const append = (source: string) => `
  WITH source AS (
    ${source}
  ), log AS (
    INSERT INTO change_logs AS log (owner_id, position, changed_at)
    SELECT owner_id, count(*), clock_timestamp() FROM source GROUP BY owner_id ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE
      SET position = log.position + excluded.position, changed_at = greatest(log.changed_at, excluded.changed_at)
    RETURNING *
  )
  INSERT INTO changes (owner_id, position, changed_at, version, type, list_id, item_id)
  SELECT owner_id, log.position - count(*) OVER own + row_number() OVER (own ORDER BY place), changed_at,
         version, TG_ARGV[0], list_id, item_id
    FROM source JOIN log USING (owner_id)
  WINDOW own AS (PARTITION BY owner_id);`;
