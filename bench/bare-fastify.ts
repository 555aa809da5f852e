import type { Socket } from 'node:net';
import { createHash, createPublicKey } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fastify, { type FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import pg from 'pg';
import { uuidv7 } from '#libs/messaging';
import { INSERT_ITEMS } from '../apps/todos/src/items/item.entity.js';

/**
 * The same two routes written by hand: Fastify with its JSON schemas, pg with named statements, the
 * same SQL, the same token check (signature once, then from a cache). No framework, no relay. With PIPELINED set its
 * reads share one pipelined connection, and all queries of one turn of the event loop are sent in one write.
 */
const { PORT, DATABASE_URL, JWKS_URL, PIPELINED } = process.env as Record<string, string>;

interface ItemRow {
  id: string;
  listId: string;
  name: string;
  completedAt: Date | null;
  version: number;
}

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const read = PIPELINED ? await pipelinedRead() : (query: pg.QueryConfig) => pool.query(query);
const users = new Map<string, { id: string; expiresAt: number }>();
const { keys } = (await fetch(JWKS_URL!).then((response) => response.json())) as { keys: object[] };
const key = createPublicKey({ key: keys[0]! as never, format: 'jwk' });

async function authenticate(request: FastifyRequest): Promise<string> {
  const token = request.headers.authorization!.slice('Bearer '.length);
  const hash = createHash('sha256').update(token).digest('base64');
  const known = users.get(hash);
  if (known && known.expiresAt > Date.now()) return known.id;
  const { payload } = await jwtVerify(token, key, { issuer: 'http://tasklane', audience: 'tasklane' });
  users.set(hash, { id: payload.sub!, expiresAt: payload.exp! * 1000 });
  return payload.sub!;
}

async function pipelinedRead() {
  const client = new pg.Client({ connectionString: DATABASE_URL, pipeline: true });
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  return (query: pg.QueryConfig) => {
    if (stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    return client.query(query);
  };
}

const SELECT_LIST = `SELECT id, name, owner_id AS "ownerId", open_items AS "openItems",
  created_at AS "createdAt", updated_at AS "updatedAt", version FROM lists WHERE id = $1 AND owner_id = $2`;

const listSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    name: { type: 'string' },
    ownerId: { type: 'string' },
    role: { type: 'string' },
    openItems: { type: 'integer' },
    createdAt: { type: 'string' },
    updatedAt: { type: 'string' },
    version: { type: 'integer' },
  },
};
const itemSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    listId: { type: 'string' },
    name: { type: 'string' },
    notes: { type: 'string' },
    completed: { type: 'boolean' },
    completedAt: { type: ['string', 'null'] },
    due: { type: ['string', 'null'] },
    priority: { type: 'integer' },
    labels: { type: 'array', items: { type: 'string' } },
    position: { type: 'string' },
    createdAt: { type: 'string' },
    updatedAt: { type: 'string' },
    version: { type: 'integer' },
  },
};
const bodySchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 50 },
    priority: { type: 'integer', minimum: 0, maximum: 3 },
  },
};

const app = fastify();
app.get('/readyz', async () => ({}));

app.get<{ Params: { id: string } }>(
  '/api/v1/lists/:id',
  { schema: { response: { 200: listSchema } } },
  async (request, reply) => {
    const ownerId = await authenticate(request);
    const { rows } = await read({ name: 'list', text: SELECT_LIST, values: [request.params.id, ownerId] });
    if (!rows[0]) return reply.code(404).send();
    const list = rows[0];
    reply.header('etag', `"${list.version}"`);
    return { ...list, role: 'owner', createdAt: list.createdAt.toISOString(), updatedAt: list.updatedAt.toISOString() };
  },
);

app.post<{ Params: { id: string }; Body: { name: string; priority?: number } }>(
  '/api/v1/lists/:id/items',
  { schema: { body: bodySchema, response: { 201: itemSchema } } },
  async (request, reply) => {
    const ownerId = await authenticate(request);
    const { id: listId } = request.params;
    const input = { id: uuidv7(), notes: '', completed: false, due: null, priority: 0, labels: [], ...request.body };
    const event = { id: input.id, listId, name: input.name, completed: input.completed, version: 1 };
    const columns = [[crc32(listId) % 16], ['bench.todos'], [listId], [JSON.stringify(event)], [headers()], [null]];
    const { rows } = await pool.query<ItemRow>({
      name: 'items',
      text: INSERT_ITEMS,
      values: [listId, ownerId, 1, 1, JSON.stringify([input]), ...columns],
    });
    if (!rows[0]) throw new Error('no such list');
    const item = { ...rows[0], completed: rows[0].completedAt !== null };
    return reply
      .code(201)
      .header('location', `/api/v1/items/${item.id}`)
      .header('etag', `"${item.version}"`)
      .send(item);
  },
);

const headers = () =>
  JSON.stringify({
    ce_specversion: '1.0',
    ce_id: uuidv7(),
    ce_type: 'item.created',
    ce_source: '/todos',
    ce_time: new Date().toISOString(),
    'content-type': 'application/json',
  });

await app.listen({ port: Number(PORT), host: '127.0.0.1' });
