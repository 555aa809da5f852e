// Who logs in at Kafka in each mode, and what each may do. With --write it renews kafka-access.json, which the tests give a real broker.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chart, podOf, report, resourcesOf, template } from './support.mjs';

const file = 'scripts/chart-checks/kafka-access.json';
const on = ['--set', 'kafka.authorization.enabled=true'];
const everybody = [
  ...on,
  '--set',
  'kafka.authorization.callers={billing},defaults.autoscaling.keda.enabled=true,defaults.config.REPLY_TOPIC_PREFIXES=answers-',
];
const strimzi = ['--set', 'kafka.mode=strimzi'];
const find = (resources, kind, name) =>
  resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
const sorted = (value) =>
  JSON.stringify(value, (_key, inner) =>
    Object(inner) === inner && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  );
const envOf = (resource) =>
  Object.fromEntries(podOf(resource).containers[0].env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));

const embedded = resourcesOf(...everybody);
const dataOf = (name) => find(embedded, 'ConfigMap', name).data;
const users = JSON.parse(dataOf('tasklane-kafka-access')['users.json']);
const properties = dataOf('tasklane-kafka')['server.properties'];
const text = `${JSON.stringify({ properties, users }, null, 1)}\n`;
if (process.argv.includes('--write')) writeFileSync(file, text);
const stale = !existsSync(file) || readFileSync(file, 'utf8') !== text;
report(`${file} is what the chart renders`, !stale, 'run: node scripts/chart-checks/access.mjs --write');

// The operator gets the same rules.
const kafkaUsers = resourcesOf(...everybody, ...strimzi).filter(({ kind }) => kind === 'KafkaUser');
const theirs = kafkaUsers.map(({ metadata, spec }) => [
  metadata.name.replace(/^tasklane-(.*)-kafka$/, '$1'),
  spec.authentication.type,
  spec.authorization.acls,
]);
const ours = users.map(({ name, acls }) => [name, 'scram-sha-512', acls]);
report('Strimzi gives the same rights', theirs.length === 5 && sorted(theirs) === sorted(ours), sorted(theirs));

// Nobody but the publisher of a topic writes it; only KEDA, which reads nothing, is not bound to its own groups.
const grants = users.flatMap(({ name, acls }) =>
  acls.flatMap(({ resource, operations }) => operations.map((operation) => ({ name, operation, ...resource }))),
);
const writes = (topic) => (rule) =>
  rule.resource.type === 'topic' &&
  rule.operations.includes('Write') &&
  (rule.resource.patternType === 'prefix' ? topic.startsWith(rule.resource.name) : topic === rule.resource.name);
for (const [topic, writers] of Object.entries({
  'tasklane.users': 'users',
  'tasklane.accounts': 'users',
  'tasklane.sessions': 'users',
  'tasklane.todos': 'todos',
  'tasklane.cache': 'notifications,users',
  'auth.validate.request': 'billing',
  'tasklane.notifications.dead': 'notifications',
  'tasklane.billing.replies': 'billing,users',
  'answers-x': 'users',
})) {
  const found = users.filter(({ acls }) => acls.some(writes(topic))).map(({ name }) => name);
  report(`${topic} is written by ${writers}`, found.sort().join() === writers, found.join());
}
const powers = ['All', 'Alter', 'AlterConfigs', 'ClusterAction'];
const mighty = grants.filter(({ operation, type }) => powers.includes(operation) || !['topic', 'group'].includes(type));
report('nobody changes the cluster', grants.length > 50 && mighty.length === 0, JSON.stringify(mighty));
const keda = users.find(({ name }) => name === 'keda').acls.flatMap(({ operations }) => operations);
report('KEDA describes and no more', [...new Set(keda)].join() === 'Describe', keda.join());

// Each pod logs in as its service, and the superuser's password is in two pods.
for (const { mode, args, secretOf, userOf } of [
  {
    mode: 'embedded',
    args: [],
    secretOf: (name) => ({ name: 'tasklane-kafka', key: `${name}-password` }),
    userOf: (name) => name,
  },
  {
    mode: 'strimzi',
    args: strimzi,
    secretOf: (name) => ({ name: `tasklane-${name}-kafka`, key: 'password' }),
    userOf: (name) => `tasklane-${name}-kafka`,
  },
]) {
  const resources = resourcesOf(...on, ...args);
  const wrong = ['users', 'todos', 'notifications'].filter((name) => {
    const settings = find(resources, 'ConfigMap', `tasklane-${name}`).data;
    return !['Deployment', 'CronJob'].every((kind) => {
      const { KAFKA_PASSWORD } = envOf(
        find(resources, kind, `tasklane-${name}${kind === 'CronJob' ? '-redrive' : ''}`),
      );
      return (
        settings.KAFKA_USERNAME === userOf(name) &&
        settings.KAFKA_SASL_MECHANISM === 'scram-sha-512' &&
        sorted(KAFKA_PASSWORD?.secretKeyRef) === sorted(secretOf(name))
      );
    });
  });
  report(`each service has its own login, ${mode}`, wrong.length === 0, wrong.join());
}
const plain = resourcesOf(...on);
const holders = plain
  .filter((resource) => JSON.stringify(resource.spec ?? {}).includes('admin-password'))
  .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  .sort()
  .join();
report(
  'two pods know the superuser',
  holders === 'Deployment tasklane-kafka-access,StatefulSet tasklane-kafka',
  holders,
);
const policies = find(plain, 'NetworkPolicy', 'tasklane-kafka').spec.ingress.filter(
  ({ ports }) => ports[0].port === 9094,
);
const admitted = policies.flatMap(({ from }) =>
  from.map((peer) => peer.podSelector.matchLabels['app.kubernetes.io/component']),
);
report('one pod reaches its listener', admitted.join() === 'kafka-access', JSON.stringify(policies));

// An image that cannot be had must not take the broker away.
const broker = podOf(find(plain, 'StatefulSet', 'tasklane-kafka'));
const images = [...broker.containers, ...(broker.initContainers ?? [])].map(({ image }) => image);
report(
  "Kafka's pod has no image of the services",
  images.every((image) => image.includes('kafka')),
  images.join(),
);

const trigger = resourcesOf(...everybody)
  .find(({ kind }) => kind === 'ScaledObject')
  .spec.triggers.find(({ type }) => type === 'kafka');
const external = ['--values', `${chart}/ci/external-values.yaml`];
for (const { mode, args, expected } of [
  { mode: 'embedded', args: [], expected: 'ConfigMap tasklane-keda username,Secret tasklane-kafka keda-password' },
  {
    mode: 'strimzi',
    args: strimzi,
    expected:
      'ConfigMap tasklane-keda username,Secret tasklane-keda-kafka password,Secret tasklane-kafka-cluster-ca-cert ca.crt',
  },
  {
    mode: 'external',
    args: [...external, '--set', 'kafka.external.sasl.existingSecrets.keda=keda-login'],
    expected: 'Secret keda-login username,Secret keda-login password',
  },
]) {
  const login = find(resourcesOf(...everybody, ...args), 'TriggerAuthentication', 'tasklane-keda')?.spec ?? {};
  const told = Object.entries(login)
    .flatMap(([from, all]) =>
      all.map(({ name, key }) => `${from.startsWith('configMap') ? 'ConfigMap' : 'Secret'} ${name} ${key}`),
    )
    .join();
  const right =
    told === expected && trigger.authenticationRef.name === 'tasklane-keda' && trigger.metadata.sasl === 'scram_sha512';
  report(`KEDA has a login of its own, ${mode}`, right, told);
}

const own = resourcesOf(...external, '--set', 'kafka.external.sasl.existingSecrets.todos=todos-login');
const logins = ['todos', 'users'].map(
  (name) => envOf(find(own, 'Deployment', `tasklane-${name}`)).KAFKA_USERNAME.secretKeyRef.name,
);
report(
  'a service may have its own login at external brokers',
  logins.join() === 'todos-login,kafka-login',
  logins.join(),
);

for (const [mode, args] of Object.entries({ embedded: [], strimzi })) {
  const rendered = template(...args).stdout;
  const left = rendered.match(/.*(authorizer|acls|kafka-access|9094|type: simple).*/g) ?? [];
  report(`without authorization nothing of it is rendered, ${mode}`, rendered && left.length === 0, left.join('\n'));
}
