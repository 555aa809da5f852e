// Checks the chart without installing it: node scripts/check-chart.mjs [--server]
// Needs helm and kubectl; kube-score and promtool where they are on the PATH. --server also asks the API server of the current context to
// accept what each file in ci/ and each overlay of k8s/ renders (dry run; the operators' CRDs must be installed). Ends with
// "N passed, M failed".
import { readdirSync, readFileSync } from 'node:fs';
import {
  chart,
  counts,
  generated,
  kubernetes,
  podOf,
  read,
  report,
  resourcesOf,
  run,
  template,
  variants,
} from './chart-checks/support.mjs';

for (const tool of ['helm', 'kubectl']) {
  if (!run(tool, ['help']).missing) continue;
  console.error(`${tool} is not on the PATH: install it and try again`);
  process.exit(69);
}

function askServer(what, manifests) {
  if (!process.argv.includes('--server')) return;
  const { ok, output } = run('kubectl', ['apply', '--dry-run=server', '--filename', '-'], manifests);
  report(`kubectl apply --dry-run=server ${what}`, ok, output);
}

for (const script of ['chart-readme.mjs', 'render-k8s.mjs', 'check-skaffold.mjs']) {
  const { ok, output } = run(process.execPath, [`scripts/${script}`, '--check']);
  report(`${script} --check`, ok, output);
}

for (const values of variants) {
  const lint = run('helm', ['lint', '--strict', chart, ...kubernetes, '--values', values]);
  report(`helm lint --strict ${values}`, lint.ok, lint.output);
  const rendered = template('--values', values);
  report(`helm template ${values}`, rendered.ok, rendered.output);
  if (!rendered.ok) continue;
  const { stdout } = rendered;
  const { faults } = read(stdout);
  report(`YAML of ${values}`, faults.length === 0, faults.join('\n'));
  // Helm 4 applies server-side: spec.replicas in the chart would conflict with the autoscaler at every upgrade.
  const service = stdout.split(/^---$/m).find((text) => /^kind: Deployment\n[^]*?name: tasklane-users$/m.test(text));
  // `skaffold debug` replaces the image's entry point, which discards the image's own command.
  report(`main.js is started by name in ${values}`, /^ +args: \[main\.js\]$/m.test(service), service);
  const autoscaled = /^kind: (HorizontalPodAutoscaler|ScaledObject)$/m.test(stdout);
  report(`replicas are the autoscaler's alone in ${values}`, autoscaled !== /^ {2}replicas:/m.test(service), service);
  askServer(values, stdout);
}

for (const overlay of readdirSync('k8s/overlays').map((name) => `k8s/overlays/${name}`)) {
  const { ok, stdout, output } = run('kubectl', ['kustomize', overlay]);
  report(`kubectl kustomize ${overlay}`, ok, output);
  if (overlay.endsWith('production')) {
    const scalers = read(stdout).resources.filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
    const needed = scalers.reduce((sum, { spec }) => sum + (spec.maxReplicas + 1) * 11 + 1, 0);
    report(`the connections of PostgreSQL suffice for ${overlay}`, scalers.length > 0 && needed <= 397, `${needed}`);
  }
  // A dry run creates no namespace for the other resources, so all are checked in the context's own.
  if (ok) askServer(overlay, stdout.replaceAll(/^ {2}namespace: .*\n/gm, ''));
}

// The longest release name that Helm allows: names derived from it must fit. A revision of a Job may grow to four digits.
const release = `${'a'.repeat(26)}.${'b'.repeat(26)}`;
const limits = { CronJob: 52, Job: 60, StatefulSet: 52 };
for (const values of variants) {
  const { stdout } = run('helm', ['template', release, chart, ...kubernetes, ...generated, '--values', values]);
  const { resources } = read(stdout);
  const wrong = resources
    .map(({ kind, metadata }) => ({ kind, name: metadata.name, limit: limits[kind] ?? 63 }))
    .filter(({ name, limit }) => name.length > limit || !/^[a-z][-a-z0-9]*[a-z0-9]$/.test(name));
  const ok = resources.length > 0 && wrong.length === 0;
  report(
    `names fit a release of 53 characters with ${values}`,
    ok,
    wrong.map(({ kind, name }) => `${kind} ${name}`).join('\n'),
  );
}

// What a version of Kubernetes does not know must not be rendered for it; the oldest that the chart takes, and the newest.
for (const [version, preStop, hostUsers, distribution] of [
  ['1.29.0', 'exec', undefined, undefined],
  ['1.33.0', 'sleep', false, 'PreferClose'],
  ['1.37.0', 'sleep', false, 'PreferSameNode'],
]) {
  const set = ['--set', 'defaults.hostUsers=false', '--set', 'defaults.service.trafficDistribution=PreferSameNode'];
  const { ok, stdout, output } = run('helm', [
    'template',
    'tasklane',
    chart,
    '--kube-version',
    version,
    ...generated,
    ...set,
  ]);
  const { resources } = read(stdout);
  const find = (kind) =>
    resources.find((resource) => resource.kind === kind && resource.metadata.name === 'tasklane-users');
  const pod = find('Deployment')?.spec.template.spec;
  const found = [
    Object.keys(pod?.containers[0].lifecycle.preStop ?? {})[0],
    pod?.hostUsers,
    find('Service')?.spec.trafficDistribution,
  ];
  const right = ok && found.join() === [preStop, hostUsers, distribution].join();
  report(`Kubernetes ${version} gets what it knows`, right, ok ? found.join() : output);
}

const numbers = template(
  '--set-json',
  'image.tag=20260101',
  '--set-json',
  'migrations.ttlSecondsAfterFinished=1000000',
  '--set-json',
  'kafka.embedded.config={"log.retention.bytes":1073741824}',
  '--set-json',
  'postgresql.embedded.parameters={"max_wal_size":1000000}',
);
report(
  'large numbers stay as written',
  numbers.ok && !/\de\+\d/.test(numbers.stdout),
  numbers.output.match(/.*\de\+.*/)?.[0] ?? '',
);

// Adding a service takes only its entry; removing the entry leaves nothing of it.
const audit =
  '{"image":{"repository":"ghcr.io/tasklane/audit"},"routes":["/api/v1/audit"],"grpc":true,"calls":["users","todos"],"sendsMail":true,"secrets":{"AUDIT_KEY":"key"}}';
for (const { mode, args, kinds, words } of [
  {
    mode: 'embedded servers',
    args: ['--set', 'tls.enabled=true', '--set', 'prometheusRule.enabled=true'],
    kinds:
      'ConfigMap CronJob Deployment HorizontalPodAutoscaler Job NetworkPolicy PodDisruptionBudget Secret Secret Service ServiceAccount',
    words: [
      'path: /api/v1/audit',
      'hostssl audit audit all',
      'AUDIT_PASSWORD',
      'value: "audit notifications todos users"',
      'job="tasklane-audit"',
      'USERS_GRPC_URL: "tasklane-users:50051"',
      'TODOS_URL: "http://tasklane-todos:8080"',
      'name: AUDIT_KEY',
      'name: SMTP_URL',
    ],
  },
  {
    mode: 'operators',
    args: ['--values', `${chart}/ci/operators-values.yaml`],
    kinds:
      'ConfigMap CronJob Deployment Job KafkaUser NetworkPolicy PodDisruptionBudget ScaledObject Secret Service ServiceAccount',
    words: ['name: tasklane-postgresql-audit\n', 'consumerGroup: tasklane.audit'],
  },
]) {
  const { stdout, output } = template(...args, '--set-json', `services.audit=${audit}`);
  const found = read(stdout)
    .resources.filter(({ metadata }) => /^tasklane-audit(-|$)/.test(metadata.name))
    .map(({ kind }) => kind)
    .sort((one, other) => (one < other ? -1 : 1))
    .join(' ');
  const missing = words.filter((word) => !stdout.includes(word));
  const wrong = `${found}\n${missing.join('\n')}\n${output.slice(0, 500)}`;
  report(`a service is one entry of values, with ${mode}`, found === kinds && missing.length === 0, wrong);
  const without = template(...args, '--set', 'services.notifications=null,services.todos.calls={users}');
  const left = without.stdout.match(/.*notifications.*/g) ?? [];
  report(`null removes a service, with ${mode}`, without.ok && left.length === 0, left.join('\n') || without.output);
}

const holders = resourcesOf('--values', `${chart}/ci/operators-values.yaml`).filter(({ kind }) =>
  ['Cluster', 'Database', 'Kafka', 'KafkaNodePool'].includes(kind),
);
const lost = holders.filter(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] !== 'keep');
report('what holds data outlives the release', holders.length === 5 && lost.length === 0, JSON.stringify(lost));

const { instances: copies, postgresql } = holders.find(({ kind }) => kind === 'Cluster').spec;
const { config: brokers } = holders.find(({ kind }) => kind === 'Kafka').spec.kafka;
const safe = [
  copies,
  postgresql.synchronous?.failoverQuorum,
  brokers['default.replication.factor'],
  brokers['min.insync.replicas'],
];
report("operators' servers lose nothing with one of three", safe.join() === '3,true,3,2', safe.join());

const elastic = resourcesOf()
  .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind))
  .filter((resource) =>
    podOf(resource).containers.some(
      ({ resources: { requests, limits } }) => requests.memory !== limits.memory || limits.cpu !== undefined,
    ),
  );
const relying = elastic.map(({ metadata }) => metadata.name).join();
report('no pod relies on more memory than it requests, and none has a CPU limit', elastic.length === 0, relying);

const jobs = (...args) => resourcesOf(...args).filter(({ kind }) => ['Job', 'CronJob'].includes(kind));
const strangers = jobs().filter((job) => !job.metadata.name.startsWith(`${podOf(job).serviceAccountName}-`));
report('Jobs have the account of their service', strangers.length === 0, JSON.stringify(strangers));

const names = (...args) => jobs(...args).map(({ metadata }) => metadata.name);
const kept = names('--set', 'defaults.podSecurityContext.fsGroup=1').filter(
  (name) => /-migrate-/.test(name) && names().includes(name),
);
report('a Job that changes has another name', kept.length === 0, kept.join('\n'));

const key = 'node.kubernetes.io/unreachable';
const own = `defaults.tolerations=[{"key":"${key}","operator":"Exists","tolerationSeconds":5}]`;
const seconds = podOf(resourcesOf('--set-json', own).find(({ kind }) => kind === 'Deployment'))
  .tolerations.filter((toleration) => toleration.key === key)
  .map(({ tolerationSeconds }) => tolerationSeconds);
report('a toleration of your own replaces that of the chart', seconds.join() === '5', seconds.join());

const included = template('--set', 'enabled=true');
report('a chart that includes this one may have the condition tasklane.enabled', included.ok, included.output);

const links = readFileSync(`${chart}/README.md`, 'utf8').match(/\]\((?!https:)[^)]*\)/g) ?? [];
report('links of the README work in a package', links.length === 0, links.join('\n'));

const merged = resourcesOf(
  '--values',
  `${chart}/ci/operators-values.yaml`,
  '--set-json',
  'postgresql.cloudnativepg.spec={"backup":{"retentionPolicy":"30d"},"storage":{"size":"9Gi"}}',
  '--set-json',
  'kafka.strimzi.spec={"kafka":{"config":{"log.retention.hours":72},"rack":null}}',
);
const specOf = (kind) => merged.find((resource) => resource.kind === kind)?.spec;
const { backup, storage, instances } = specOf('Cluster') ?? {};
const { config, rack, listeners } = specOf('Kafka')?.kafka ?? {};
const mix = [
  backup?.retentionPolicy,
  storage?.size,
  instances,
  config?.['log.retention.hours'],
  rack,
  listeners?.length,
];
report('spec is merged over what operators get', mix.join() === '30d,9Gi,3,72,,1', mix.join());

const digit = run('helm', ['template', '1st', chart, ...kubernetes]);
report('a release that begins with a digit is refused', digit.output.includes('set fullnameOverride'), digit.output);

for (const values of variants) {
  const { stdout } = template('--values', values);
  const score = run('kube-score', ['score', '--ignore-container-cpu-limit', '--output-format', 'ci', '-'], stdout);
  if (score.missing) {
    console.log('    kube-score is not on the PATH: left out');
    break;
  }
  const critical = score.stdout.split('\n').filter((line) => line.startsWith('[CRITICAL]'));
  report(`kube-score finds nothing critical in ${values}`, critical.length === 0, critical.join('\n'));
}

for (const part of ['refused', 'secrets', 'access', 'tls', 'scaling', 'storage', 'network', 'alerts'])
  await import(`./chart-checks/${part}.mjs`);

console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
