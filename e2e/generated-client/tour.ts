// README's tour by a client generated from the API's description: node tour.js <address> <email>. Compiled
// beside that client, which exists only while generated-client.e2e.spec.ts runs.
import { client } from './client/client.gen.js';
import {
  createItems,
  createList,
  getItems,
  getList,
  getLists,
  login,
  registerUser,
  updateList,
  validateToken,
} from './client/index.js';

declare const process: { argv: string[]; stdout: { write: (text: string) => void } };

const [baseUrl, email] = process.argv.slice(2) as [string, string];
const password = 'correct horse battery';
client.setConfig({ baseUrl });
const sure = { throwOnError: true } as const;

const registered = await registerUser({
  body: { email, password, firstName: 'Ada', lastName: 'Lovelace', age: 36 },
  ...sure,
});
const session = await login({ body: { email, password }, ...sure });
client.setConfig({ baseUrl, auth: session.data.accessToken });

const { data: list } = await createList({
  body: { name: 'Groceries' },
  headers: { 'Idempotency-Key': 'tour' },
  ...sure,
});
const items = await createItems({
  path: { listId: list.id },
  body: [{ name: 'Milk' }, { name: 'Bread', priority: 2 }, { name: 'Tea', due: '2030-01-31' }],
  ...sure,
});
const shown = await getList({ path: { id: list.id }, ...sure });
const page = await getItems({ path: { listId: list.id }, query: { sort: 'name', limit: 2 }, ...sure });

const taken = await createItems({ path: { listId: list.id }, body: { name: 'Milk' } });
// The compiler knows this operation's codes and would reject a comparison with any other.
if (taken.error?.code !== 'item-name-taken') throw new Error(`not refused: ${JSON.stringify(taken.error)}`);
const lost = await updateList({ path: { id: list.id }, body: { name: 'Late' }, headers: { 'If-Match': '"1"' } });
const good = await validateToken({ body: { token: session.data.accessToken }, ...sure });
client.setConfig({ baseUrl, auth: undefined });
const refused = await getLists();

process.stdout.write(
  JSON.stringify({
    registered: [registered.response.status, registered.data.firstName],
    created: Array.isArray(items.data) ? items.data.map(({ name }) => name) : items.data.name,
    openItems: shown.data.openItems,
    page: [page.data.items.map(({ name }) => name), typeof page.data.nextCursor],
    taken: [taken.response?.status, taken.error.names],
    lost: lost.error?.code === 'version-conflict' ? [lost.response?.status, lost.error.current?.version] : lost.error,
    active: good.data.active,
    refused: [refused.response?.status, refused.error?.code],
  }),
);
