// A fake API server with a given set of objects, for templates that read the cluster.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The kinds that the chart renders without operators. */
const kinds = {
  v1: ['ConfigMap', 'Pod', 'Secret', 'Service', 'ServiceAccount'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'batch/v1': ['CronJob', 'Job'],
  'networking.k8s.io/v1': ['Ingress', 'NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
};
const folderOf = (apiVersion) => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);
const pluralOf = (kind) => `${kind.toLowerCase()}s`.replace('ys', 'ies').replace('sss', 'sses');
const pathOf = ({ apiVersion, kind, metadata }) =>
  `${folderOf(apiVersion)}/namespaces/default/${pluralOf(kind)}/${metadata.name}`;

function discovery(path) {
  if (path === '/version') return { major: '1', minor: '34', gitVersion: 'v1.34.0' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = Object.keys(kinds).filter((apiVersion) => apiVersion !== 'v1');
    const groupOf = (groupVersion) => {
      const [name, version] = groupVersion.split('/');
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    };
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  }
  const groupVersion = Object.keys(kinds).find((apiVersion) => folderOf(apiVersion) === path);
  const resources = kinds[groupVersion]?.map((kind) => ({
    name: pluralOf(kind),
    kind,
    namespaced: true,
    verbs: ['get', 'list'],
  }));
  return resources && { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

/** Runs `helm template` of the release tasklane against a cluster whose namespace "default" holds these objects. */
export async function templateOn(objects, chart, ...args) {
  const found = new Map(objects.map((object) => [pathOf(object), object]));
  const server = createServer((request, response) => {
    const path = request.url.split('?')[0];
    const body = discovery(path) ?? found.get(path);
    const gone = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404, message: path };
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? gone));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const home = mkdtempSync(join(tmpdir(), 'tasklane-fake-'));
  const kubeconfig = join(home, 'config');
  const name = { name: 'fake' };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'fake',
    clusters: [{ ...name, cluster: { server: `http://127.0.0.1:${server.address().port}` } }],
    contexts: [{ ...name, context: { cluster: 'fake', user: 'fake', namespace: 'default' } }],
    users: [{ ...name, user: {} }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const env = { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: home };
  const command = [
    'template',
    'tasklane',
    chart,
    '--dry-run=server',
    '--is-upgrade',
    '--disable-openapi-validation',
    ...args,
  ];
  try {
    return await new Promise((resolve) =>
      execFile('helm', command, { env, encoding: 'utf8', maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ ok: !error, stdout, output: `${stdout}${stderr}` }),
      ),
    );
  } finally {
    server.close();
    rmSync(home, { recursive: true });
  }
}
