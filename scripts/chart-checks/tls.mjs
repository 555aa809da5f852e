// What docs/kubernetes/tls.md says of the connections between components, and of generated certificates.
import { X509Certificate } from 'node:crypto';
import { templateOn } from './fake-cluster.mjs';
import { chart, podOf, read, report, resourcesOf } from './support.mjs';

const tls = ['--set', 'tls.enabled=true'];
const encrypted = resourcesOf(...tls);
const portsOf = (service, direction) =>
  encrypted
    .find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === `tasklane-${service}`)
    .spec[direction].flatMap(({ ports = [] }) => ports.map(({ port }) => port));
const settingsOf = (service) =>
  encrypted.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === `tasklane-${service}`).data;
const overTls = [
  ['todos', 'notifications'].every((service) =>
    settingsOf(service).JWKS_URL.startsWith('https://tasklane-users:8443/'),
  ),
  settingsOf('users').HTTPS_CERT_PATH,
  portsOf('users', 'ingress').includes(8443),
  portsOf('todos', 'egress').includes(8443),
  portsOf('notifications', 'egress').includes(8443) && !portsOf('notifications', 'egress').includes(8080),
];
report('the keys of tokens travel over TLS', overTls.every(Boolean), JSON.stringify(overTls));

/** The environment of a service's container, from its ConfigMap and its Deployment. */
const environmentOf = (resources, service) => {
  const find = (kind) =>
    resources.find((resource) => resource.kind === kind && resource.metadata.name === `tasklane-${service}`);
  const [{ env }] = podOf(find('Deployment')).containers;
  return { ...find('ConfigMap').data, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) };
};
const configOf = (name, file) =>
  encrypted.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name).data[file];
const mailpit = encrypted.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'tasklane-mailpit');
for (const [connection, ok] of [
  ['todos → users', environmentOf(encrypted, 'todos').GRPC_TLS_CERT_PATH],
  ['users ← its callers alone', environmentOf(encrypted, 'users').GRPC_ALLOWED_CALLERS === 'tasklane-todos'],
  ['todos → PostgreSQL', environmentOf(encrypted, 'todos').DATABASE_URL.includes('?sslmode=verify-full&')],
  ['PostgreSQL refuses what is plain', !/^host(nossl)? /m.test(configOf('tasklane-postgresql', 'pg_hba.conf'))],
  ['todos → Kafka', environmentOf(encrypted, 'todos').KAFKA_TLS === 'true'],
  ['Kafka refuses what is plain', !/CLIENT:(SASL_)?PLAINTEXT/.test(configOf('tasklane-kafka', 'server.properties'))],
  ['notifications → Mailpit', environmentOf(encrypted, 'notifications').SMTP_URL.startsWith('smtps://')],
  ['Mailpit refuses what is plain', JSON.stringify(podOf(mailpit)).includes('"MP_SMTP_REQUIRE_TLS","value":"true"')],
])
  report(`TLS: ${connection}`, Boolean(ok), '');

const operated = resourcesOf('--values', `${chart}/ci/operators-values.yaml`);
const { DATABASE_URL, KAFKA_TLS, KAFKA_CA_FILE_PATH } = environmentOf(operated, 'todos');
const always =
  DATABASE_URL.includes('?sslmode=verify-full&') && KAFKA_TLS === 'true' && KAFKA_CA_FILE_PATH !== undefined;
report(
  "connections to operators' servers are encrypted, with their CAs",
  always,
  `${DATABASE_URL} ${KAFKA_CA_FILE_PATH}`,
);

const chosen = environmentOf(resourcesOf(...tls, '--set', 'services.users.config.GRPC_ALLOWED_CALLERS=mine'), 'users');
report('callers of your own replace the derived ones', chosen.GRPC_ALLOWED_CALLERS === 'mine', '');

const nameless = resourcesOf(...tls)
  .filter(({ kind }) => kind === 'Service')
  .filter(({ spec }) => spec.ports.some(({ name, appProtocol }) => !name || !appProtocol));
report('each port of a Service has a name and an appProtocol', nameless.length === 0, JSON.stringify(nameless));

// Generated certificates are read back, too. One whose Secret is gone comes from the same CA; a new CA renews all.
const certificatesOf = ({ stdout }) =>
  new Map(
    read(stdout)
      .resources.filter(({ kind, metadata }) => kind === 'Secret' && /-ca$|-tls$/.test(metadata.name))
      .map((secret) => [secret.metadata.name, secret]),
  );
const made = certificatesOf(await templateOn([], chart, ...tls));
const without = (name) => [...made.values()].filter(({ metadata }) => metadata.name !== name);
const renewed = async (name) => {
  const next = certificatesOf(await templateOn(without(name), chart, ...tls));
  return [...next.keys()]
    .filter((key) => next.get(key).data['tls.crt'] !== made.get(key).data['tls.crt'])
    .sort()
    .join();
};
for (const [gone, expected] of [
  ['none', ''],
  ['tasklane-users-tls', 'tasklane-users-tls'],
  ['tasklane-ca', [...made.keys()].sort().join()],
]) {
  const found = await renewed(gone);
  report(`certificates that are renewed without the Secret ${gone}`, made.size === 7 && found === expected, found);
}
const { validFrom, validTo } = new X509Certificate(
  Buffer.from(made.get('tasklane-users-tls')?.data['tls.crt'] ?? '', 'base64'),
);
const years = (Date.parse(validTo) - Date.parse(validFrom)) / (365 * 86_400_000);
report('generated certificates live five years', Math.abs(years - 5) < 0.01, years);
