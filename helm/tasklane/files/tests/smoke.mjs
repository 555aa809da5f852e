// What `helm test` runs inside the cluster: every service is found by its name and ready; then, where the mails stay in
// Mailpit, somebody registers, logs in, writes a list and gets the welcome mail. SERVICES is JSON: routes by address.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const { MAILPIT } = process.env;
const services = JSON.parse(process.env.SERVICES);

/** The address of what answers a route. */
const at = (route) => Object.keys(services).find((address) => services[address].includes(route)) + route;

async function call(method, url, { token, body, quiet } = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${url}: ${response.status} ${text}`);
  if (!quiet) console.log(`ok  ${method} ${url}`);
  return text ? JSON.parse(text) : undefined;
}

async function eventually(what, seconds, attempt) {
  for (let passed = 0; passed < seconds; passed++) {
    const found = await attempt().catch((error) => console.log(`    ${error.message}`));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

for (const service of Object.keys(services)) {
  await eventually(`${service} ready`, 60, () => call('GET', `${service}/readyz`));
}
const { keys } = await call('GET', at('/.well-known/jwks.json'));
assert.ok(keys.length > 0, 'there are keys to check tokens with');

if (MAILPIT) {
  const email = `helm-test-${randomUUID()}@example.com`;
  const password = randomUUID();
  await call('POST', at('/api/v1/users'), { body: { email, password, firstName: 'Helm', lastName: 'Test' } });
  const { accessToken: token } = await call('POST', `${at('/api/v1/auth')}/login`, { body: { email, password } });
  const list = await call('POST', at('/api/v1/lists'), { token, body: { name: 'helm test' } });
  await call('POST', `${at('/api/v1/lists')}/${list.id}/items`, { token, body: { name: 'see it work' } });
  const { items } = await call('GET', `${at('/api/v1/lists')}/${list.id}/items`, { token });
  assert.equal(items.length, 1);
  await eventually('the welcome mail', 60, async () => {
    const search = `${MAILPIT}/api/v1/search?query=${encodeURIComponent(`to:${email}`)}`;
    const { messages } = await call('GET', search, { quiet: true });
    return messages.length > 0;
  });
  console.log('ok  the welcome mail is there');
}
console.log('all well');
