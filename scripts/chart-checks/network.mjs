// How a pod is reached and runs: Services, NetworkPolicies with a mesh, addresses, users.
import { podOf, report, resourcesOf, template, variants } from './support.mjs';

const ports = (service) => service?.spec.ports.map(({ port }) => port).join();
const balanced = resourcesOf('--set', 'defaults.service.type=LoadBalancer').filter(({ kind }) => kind === 'Service');
const open = balanced.filter(({ spec }) => spec.type === 'LoadBalancer');
const bare = open.length === 3 && open.every((service) => ports(service) === '8080');
report('a load balancer gets the HTTP port alone', bare, JSON.stringify(open.map(ports)));
const inner = balanced.find(({ metadata }) => metadata.name === 'tasklane-users');
const whole = inner?.spec.type === 'ClusterIP' && ports(inner) === '8080,9464,50051';
report('the Service inside keeps its name and ports beside a load balancer', whole, JSON.stringify(inner));

const policies = (mesh) =>
  resourcesOf(
    '--set',
    `networkPolicy.mesh=${mesh}`,
    '--set-json',
    'networkPolicy.httpFrom=[{"podSelector":{}}]',
  ).filter(({ kind }) => kind === 'NetworkPolicy');
const rulesOf = ({ spec }, direction) => spec[direction] ?? [];
const opens = (rule, port) => rule.ports?.some((open) => open.port === port);
const plain = policies('');
const outside = [53, 8086, 15012];

/** Every rule that opens a port of a pod also opens the mesh's port, to the same peers and no others. */
function carried(mesh, port) {
  const withMesh = policies(mesh);
  return plain.flatMap((policy, index) =>
    ['ingress', 'egress'].flatMap((direction) =>
      rulesOf(policy, direction)
        .filter((rule) => rule.ports && !outside.some((other) => opens(rule, other)))
        .filter((rule) => {
          const same = ({ from, to }) => JSON.stringify([from, to]) === JSON.stringify([rule.from, rule.to]);
          const twin = rulesOf(withMesh[index], direction).find(
            (other) => same(other) && opens(other, rule.ports[0].port),
          );
          return !twin || !opens(twin, port) || twin.ports.length !== rule.ports.length + 1;
        })
        .map((rule) => `${policy.metadata.name} ${direction} ${JSON.stringify(rule)}`),
    ),
  );
}
for (const [mesh, port] of Object.entries({ 'istio-ambient': 15008, linkerd: 4143 })) {
  const blocked = carried(mesh, port);
  report(`${mesh} reaches what is open on ${port}`, plain.length > 8 && blocked.length === 0, blocked.join('\n'));
}

const isolated = (all, reaches) => all.filter((policy) => !reaches(policy)).map(({ metadata }) => metadata.name);
for (const [mesh, namespace, port] of [
  ['istio', 'istio-system', 15012],
  ['linkerd', 'linkerd', 8086],
]) {
  const asks = (rule) => opens(rule, port) && JSON.stringify(rule.to).includes(`"${namespace}"`);
  const cut = isolated(policies(mesh), (policy) => rulesOf(policy, 'egress').some(asks));
  report(`each sidecar of ${mesh} reaches its control plane`, cut.length === 0, cut.join());
}
const served = policies('istio-ambient').filter(({ spec }) => spec.ingress);
const probed = (rule) => !rule.ports && JSON.stringify(rule.from ?? '').includes('169.254.7.127/32');
const dead = isolated(served, (policy) => rulesOf(policy, 'ingress').some(probed));
report('probes pass in an ambient mesh', served.length === 6 && dead.length === 0, dead.join());

// OpenShift rejects users and groups that it did not assign; elsewhere "restricted" requires a non-root user.
const openshift = ['--api-versions', 'security.openshift.io/v1'];
for (const values of variants) {
  const pods = resourcesOf('--values', values, ...openshift)
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job', 'CronJob', 'Pod'].includes(kind))
    .map((resource) => ({
      name: resource.metadata.name,
      ...(resource.kind === 'Pod' ? resource.spec : podOf(resource)),
    }));
  const fixed = pods.filter(({ securityContext: { runAsUser, runAsGroup, fsGroup, runAsNonRoot } }) =>
    Boolean(runAsUser ?? runAsGroup ?? fsGroup ?? !runAsNonRoot),
  );
  const found = fixed.map(({ name }) => name).join();
  report(`OpenShift chooses the users of ${values}`, pods.length > 8 && fixed.length === 0, found);
}

// Listening on IPv4 addresses alone would make a pod unreachable in an IPv6-only cluster.
const { stdout } = template('--set', 'tls.enabled=true');
const deaf = stdout.match(/.*0\.0\.0\.0.*/g) ?? [];
const mailpit = ['MP_SMTP_BIND_ADDR, value: ":1025"', 'MP_UI_BIND_ADDR, value: ":8025"'];
const heard = deaf.length === 0 && mailpit.every((text) => stdout.includes(text));
report('all listen on IPv6, too', heard, deaf.join('\n'));
