import { readdirSync } from 'node:fs';
import { templateOn } from './fake-cluster.mjs';
import { chart, kubernetes, read, report, resourcesOf, run } from './support.mjs';

const blind = (...args) => run('helm', ['template', 'tasklane', chart, ...kubernetes, ...args]);
const set = (values) => Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]);

// With existing Secrets the output is reproducible, as GitOps tools require.
const token = { 'services.users.existingSecret': 'tokens' };
const embedded = {
  'postgresql.embedded.existingSecret': 'passwords',
  'kafka.authorization.enabled': true,
  'kafka.embedded.existingSecret': 'logins',
};
const external = {
  'postgresql.mode': 'external',
  'postgresql.external.existingSecret': 'databases',
  'kafka.mode': 'external',
  'kafka.external.brokers': 'kafka:9092',
};
const operators = {
  'postgresql.mode': 'cloudnativepg',
  'kafka.mode': 'strimzi',
  ...Object.fromEntries(
    ['users', 'todos', 'notifications'].map((name) => [`postgresql.cloudnativepg.existingSecrets.${name}`, name]),
  ),
};
const certificates = Object.fromEntries(
  ['users', 'todos', 'notifications', 'postgresql', 'kafka', 'mailpit'].map((name) => [
    `tls.existingSecrets.${name}`,
    `${name}-tls`,
  ]),
);
const plain = { 'tls.enabled': false };
const ownCertificates = { 'tls.enabled': true, 'tls.source': 'secret', ...certificates };
const issued = { 'tls.enabled': true, 'tls.source': 'certManager' };
const servers = { embedded, external, 'CloudNativePG and Strimzi': operators };
const encryption = { plain, 'TLS from Secrets': ownCertificates, 'TLS from cert-manager': issued };
const scaling = { HPA: {}, KEDA: { 'defaults.autoscaling.keda.enabled': true } };
for (const [server, ...one] of Object.entries(servers))
  for (const [tls, ...two] of Object.entries(encryption))
    for (const [scaler, ...three] of Object.entries(scaling)) {
      const args = set(Object.assign({}, token, ...one, ...two, ...three));
      const [first, second] = [blind(...args), blind(...args)];
      const same = first.ok && first.stdout === second.stdout && !/^kind: Secret$/m.test(first.stdout);
      report(`helm template twice is the same text, ${server}, ${tls}, ${scaler}`, same, first.output);
    }
for (const overlay of readdirSync('k8s/overlays')) {
  const [first, second] = [1, 2].map(() => run('kubectl', ['kustomize', `k8s/overlays/${overlay}`]));
  report(
    `kubectl kustomize twice is the same text, ${overlay}`,
    first.ok && first.stdout === second.stdout,
    first.output,
  );
}

// Where a generated Secret could never be read back, the message names the value to set instead.
const selfSigned = { 'ingress.tls.enabled': true, 'ingress.tls.source': 'generated' };
const own = { ...token, ...embedded };
for (const [missing, values] of Object.entries({
  'services.users.existingSecret': embedded,
  'postgresql.embedded.existingSecret': { ...own, 'postgresql.embedded.existingSecret': '' },
  'kafka.embedded.existingSecret': { ...own, 'kafka.embedded.existingSecret': '' },
  'postgresql.cloudnativepg.existingSecrets.notifications': { ...own, 'postgresql.mode': 'cloudnativepg' },
  'tls.source': { ...own, 'tls.enabled': true },
  'ingress.tls.source': { ...own, ...selfSigned },
})) {
  const { ok, output } = blind(...set(values));
  const told = output.includes(`set ${missing}`) && output.includes('secrets.generate=always');
  report(`without a cluster ${missing} is demanded`, !ok && told, output);
}

// Existing Secrets are read back from the cluster; an empty cluster gets new ones.
const base64 = (text) => Buffer.from(text).toString('base64');
const object = (apiVersion, kind, name, rest, annotations = {}) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default', annotations },
  ...rest,
});
const passwords = object('v1', 'Secret', 'tasklane-postgresql', { data: { 'users-password': base64('kept') } });
const secretIn = ({ stdout }) =>
  read(stdout).resources.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'tasklane-postgresql');
const fresh = await templateOn([], chart);
report('a new cluster gets passwords', secretIn(fresh)?.data['users-password']?.length > 40, fresh.output);
const again = await templateOn([passwords], chart);
report('a password is read back', secretIn(again)?.data['users-password'] === base64('kept'), again.output);
const login = object('v1', 'Secret', 'tasklane-kafka', { data: { 'users-password': base64('kept') } });
const logins = read(
  (await templateOn([login], chart, '--set', 'kafka.authorization.enabled=true')).stdout,
).resources.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'tasklane-kafka')?.data;
const added =
  Object.keys(logins ?? {}).join() === 'admin-password,notifications-password,todos-password,users-password';
report('so is that of a login at Kafka', added && logins['users-password'] === base64('kept'), JSON.stringify(logins));

// The passwords of the embedded server open its volume, so nothing else may take the name of their Secret.
const urls = ['users', 'todos', 'notifications'].flatMap((name) => [
  '--set',
  `postgresql.external.urls.${name}=postgres://u:p@h/${name}`,
]);
const away = resourcesOf('--set', 'postgresql.mode=external', ...urls);
const taken = away.filter(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'tasklane-postgresql');
const held = away.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'tasklane-database-urls');
report('external URLs leave the passwords of embedded alone', taken.length === 0 && held, JSON.stringify(taken));

// A different mode starts empty.
const recorded = read(fresh.stdout).resources.find(
  ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'tasklane-users',
);
const toExternal = ['--set', 'postgresql.mode=external', ...urls];
const toKafka = ['--set', 'kafka.mode=external', '--set', 'kafka.external.brokers=kafka:9092'];
for (const [part, args] of Object.entries({ postgresql: toExternal, kafka: toKafka })) {
  const { ok, output } = await templateOn([recorded], chart, ...args);
  const told = output.includes(`${part}.mode is external, but this release runs with embedded`);
  report(`another ${part}.mode is refused`, !ok && told, output);
  const allowed = await templateOn([recorded], chart, ...args, '--set', 'allowModeChange=true');
  report(`another ${part}.mode is taken with allowModeChange`, allowed.ok, allowed.output);
}
const unchanged = await templateOn([recorded], chart);
report('the same modes are taken', unchanged.ok, unchanged.output);
// A release from before the modes were recorded still shows its embedded servers.
for (const [part, args] of Object.entries({ postgresql: toExternal, kafka: toKafka })) {
  const { ok, output } = await templateOn([object('apps/v1', 'StatefulSet', `tasklane-${part}`)], chart, ...args);
  const told = output.includes(`${part}.mode is external, but this release runs with embedded`);
  report(`another ${part}.mode is refused where only the server shows the present one`, !ok && told, output);
}
